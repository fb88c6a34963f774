/** A subscription that a transport runs. */
export interface Running {
  /** It has ended: nothing of it may stay on the server. */
  stop(): void
  /** Breaks its stream, as a lost network would. */
  cut(): void
}
