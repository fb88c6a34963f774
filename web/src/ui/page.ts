/** An element of index.html by id. @throws Error if there is none: a programming error, visible at the first load. */
export function byId<T extends Element = HTMLElement>(id: string): T {
  const element = document.getElementById(id)
  if (!element) throw new Error(`index.html has no #${id}`)
  return element as unknown as T
}

/** Of a template: the element marked `data-is="name"`. */
export function part<T extends Element = HTMLElement>(of: Element, name: string): T {
  const element = of.querySelector(`[data-is="${name}"]`)
  if (!element) throw new Error(`The template has no ${name}`)
  return element as T
}

/** Sets a text only if it differs: unchanged text causes no layout. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text
}

export function svg<K extends keyof SVGElementTagNameMap>(
  name: K,
  attributes: Record<string, string | number>,
): SVGElementTagNameMap[K] {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value))
  return element
}

/** Copies a text, and says so on the button for a moment. Pages without TLS have no clipboard. */
export async function copy(text: string, button: HTMLButtonElement): Promise<void> {
  const label = button.textContent
  try {
    await navigator.clipboard.writeText(text)
    button.textContent = 'Copied'
  } catch {
    button.textContent = 'Not allowed' // by the browser, or for want of TLS
  }
  setTimeout(() => {
    button.textContent = label
  }, 1_500)
}
