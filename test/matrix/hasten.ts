/** `node --import`: programs whose clock is as fast as that of the clients of the table. */
import { hasten } from './fast-clock.ts'

hasten()
