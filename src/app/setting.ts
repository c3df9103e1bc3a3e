/** A setting of `fairlead up`: the source of truth for its option, variable, file key, help text and documentation. */
export interface Setting {
  /** Key of the configuration file, option `--key`, environment `FAIRLEAD_KEY`. */
  readonly key: string;
  readonly placeholder: string;
  readonly description: string;
  readonly default?: string;
  readonly flag?: true;
}
