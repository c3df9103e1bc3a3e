import { ControlPlaneError } from "../domain/errors.ts";

/** What the bucket's epoch message says. */
export interface EpochMark {
  readonly epoch: number;
  /** Where the state lies from now on. */
  readonly root: string;
}

export function formatEpochMark({ epoch, root }: EpochMark): string {
  return `${epoch} ${root}`;
}

/** Undefined for a text that no release writes. */
export function parseEpochMark(text: string): EpochMark | undefined {
  const match = /^(\d{1,15}) ([A-Za-z0-9_=-]{1,128})$/.exec(text);
  return match === null ? undefined : { epoch: Number(match[1]), root: match[2] ?? "" };
}

/** Without the epoch message, nobody knows where the state lies. */
export function epochUnreadable(stream: string): ControlPlaneError {
  return new ControlPlaneError({
    kind: "corrupt",
    code: "STORE_CORRUPT",
    message: `stream ${stream} states its epoch in a form that no release writes, so it is unknown where the state lies; restore a backup with fairlead restore --nats`,
    details: { stream },
  });
}
