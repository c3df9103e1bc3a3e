/** The methods of what a value holds that would change it. */
type Mutator = "set" | "add" | "delete" | "clear" | "share" | "replace" | "change";

type ReadonlyPart<Part> = Part extends readonly (infer Item)[]
  ? readonly Item[]
  : Part extends object
    ? Omit<Part, Mutator>
    : Part;

/** A value that may only be read: its data without its methods, down to what its maps, sets and lists hold. */
export type Reading<Whole> = {
  readonly [Part in keyof Whole as Whole[Part] extends (...inputs: never[]) => unknown ? never : Part]: ReadonlyPart<
    Whole[Part]
  >;
};
