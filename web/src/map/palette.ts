import type { Region } from '../gql/graphql.ts'

export type Theme = 'light' | 'dark'

export interface Palette {
  /** Tints of a dot: those of Okabe and Ito, moved until each stands out from the land and from the others. */
  readonly regions: Readonly<Record<Region, string>>
  readonly land: string
  readonly dot: string
  readonly graticule: string
  /** One step of six from dusk to night. */
  readonly night: string
  /** One's own order. */
  readonly own: string
  /** Additive on the dark map; on the light one, addition would give white. */
  readonly blend: 'lighter' | 'source-over'
  readonly glow: number
}

export const PALETTES: Readonly<Record<Theme, Palette>> = {
  dark: {
    regions: {
      NORTH_AMERICA: '#2fd8a6',
      SOUTH_AMERICA: '#ff82c4',
      EUROPE: '#49a6ff',
      AFRICA: '#ffd447',
      ASIA: '#ff7a4d',
      OCEANIA: '#ddd3ff',
    },
    land: '#101b31',
    dot: '#314771',
    graticule: 'rgba(120, 150, 205, 0.07)',
    night: 'rgba(3, 7, 17, 0.095)',
    own: '#ffffff',
    blend: 'lighter',
    glow: 0.55,
  },
  light: {
    regions: {
      NORTH_AMERICA: '#007a5a',
      SOUTH_AMERICA: '#d0358c',
      EUROPE: '#1474de',
      AFRICA: '#a37a00',
      ASIA: '#b8340a',
      OCEANIA: '#4a2a9c',
    },
    land: '#dfe6f1',
    dot: '#b3c0d6',
    graticule: 'rgba(40, 70, 120, 0.07)',
    night: 'rgba(40, 62, 110, 0.024)',
    own: '#0b1526',
    blend: 'source-over',
    glow: 0.34,
  },
}
