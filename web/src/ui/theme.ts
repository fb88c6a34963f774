import { PALETTES, type Theme } from '../map/palette.ts'
import { REGIONS } from '../model/regions.ts'
import { byId } from './page.ts'

const KEY = 'sluice-theme'
const system = matchMedia('(prefers-color-scheme: light)')

/** The colour scheme: the system's, or the one chosen by the button, kept in localStorage. */
export class ThemeSwitch {
  readonly #onChange: (theme: Theme) => void
  #chosen = remembered()

  constructor(onChange: (theme: Theme) => void) {
    this.#onChange = onChange
    const change = () => {
      this.#apply()
      this.#onChange(this.theme)
    }
    byId('theme').addEventListener('click', () => {
      this.#chosen = this.theme === 'dark' ? 'light' : 'dark'
      remember(this.#chosen)
      change()
    })
    system.addEventListener('change', change)
    this.#apply()
  }

  get theme(): Theme {
    return this.#chosen ?? (system.matches ? 'light' : 'dark')
  }

  #apply(): void {
    const root = document.documentElement
    const { theme } = this
    root.dataset.theme = theme
    // The tints of the map are the style sheet's too.
    for (const region of REGIONS) root.style.setProperty(`--${region}`, PALETTES[theme].regions[region])
  }
}

function remembered(): Theme | undefined {
  try {
    const kept = localStorage.getItem(KEY)
    return kept === 'light' || kept === 'dark' ? kept : undefined
  } catch {
    return undefined // the browser keeps nothing for this page
  }
}

function remember(theme: Theme): void {
  try {
    localStorage.setItem(KEY, theme)
  } catch {
    // It keeps nothing: the choice ends with the page.
  }
}
