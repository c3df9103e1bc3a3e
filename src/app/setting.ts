/** One setting of `fairlead up`: the source of truth for the option, the environment, the file, the help and the docs. */
export interface Setting {
  /** Key of the configuration file, option `--key`, environment `FAIRLEAD_KEY`. */
  readonly key: string;
  readonly placeholder: string;
  readonly description: string;
  readonly default?: string;
  readonly flag?: true;
}
