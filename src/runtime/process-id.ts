/** This process, as the operating system names it. */
export const processId: number = process.pid;
