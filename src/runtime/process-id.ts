/** This process, as the operating system names it. */
export const processId: number = process.pid;

/** The id of the user whose rights this process has; undefined where users have no numeric ids. */
export const userId: number | undefined = process.getuid?.();
