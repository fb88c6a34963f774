/** In every message and stack that must not reach a client. */
export const SECRET = 'hunter2'
