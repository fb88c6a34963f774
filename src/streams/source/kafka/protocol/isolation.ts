/** Isolation level of all reads: records of open and of aborted transactions are not visible. */
export const READ_COMMITTED = 1
