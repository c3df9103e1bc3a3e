import type { TextShape } from "../../src/domain/text-shape.ts";

/** Whether a shape has a text, read a character at a time. */
export function hasText({ start, step, isWhole }: TextShape, text: string): boolean {
  let state: string | undefined = start;
  for (const character of text) state = state === undefined ? undefined : step(state, character);
  return state !== undefined && isWhole(state);
}
