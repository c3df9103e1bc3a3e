/** This process, as the operating system names it. */
export const processId: number = process.pid;

/** The user that it runs as; nothing where there are none, as on Windows. */
export const processUser: number | undefined = process.geteuid?.();
