/*
 * Bounds of what a fetch response may make of itself in memory.
 */

/**
 * Size limit of a decompressed record batch, far above what the brokers' default limit (1 MiB compressed) amounts to in
 * practice. A larger one would exhaust the memory of the process. It is refused.
 */
export const MAX_BATCH_BYTES = 256 * 1024 * 1024

/**
 * Decompressed bytes of a set after which no further batch is decoded: it is left for the next fetch. A response of
 * 8 MiB could otherwise become gigabytes.
 */
export const MAX_SET_BYTES = 64 * 1024 * 1024

/**
 * Records of a set after which no further one is decoded, also within a batch. Each takes about 100 bytes beside its
 * key and value, and may itself be compressed to less than one.
 */
export const MAX_SET_RECORDS = 256 * 1024
