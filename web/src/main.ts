import { startLiveMap } from './live-map.ts'

declare global {
  interface Window {
    /** What the page knows: `__liveMap.snapshot()`. */
    __liveMap?: ReturnType<typeof startLiveMap>
  }
}

window.__liveMap = startLiveMap()
