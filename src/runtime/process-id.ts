/** This process, as the operating system names it. */
export const processId: number = process.pid;

/** Of the user whose rights this process has; nothing where users have no numbers. */
export const userId: number | undefined = process.getuid?.();
