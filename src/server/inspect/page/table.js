/**
 * @typedef {string | Node} Content
 * @typedef {{ text: Content, tone?: 'good' | 'warn' | 'bad' | undefined, kind?: 'number' | 'text' | 'short' | 'mono' }} Cell
 */

/** @param {string} name @param {Readonly<Record<string, string>>} attributes @param {...Content} children */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  made.append(...children)
  return made
}

/** A cell with a number. @param {Content} text @param {Cell['tone']} [tone] @returns {Cell} */
export const number = (text, tone) => ({ text, tone, kind: 'number' })

/** @param {Content} text @param {Cell['tone']} [tone] @returns {Cell} */
export const short = (text, tone) => ({ text, tone, kind: 'short' })

/** @param {Content} text @param {Cell['tone']} [tone] @returns {Cell} */
export const long = (text, tone) => ({ text, tone, kind: 'text' })

/** @param {Content} text @returns {Cell} */
export const mono = (text) => ({ text, kind: 'mono' })

/**
 * A table that scrolls by itself where it is wider than its place; a sentence where it has no rows.
 * @param {string} label @param {readonly string[]} heads @param {readonly Cell[][]} rows @param {string} none
 */
export function table(label, heads, rows, none) {
  if (rows.length === 0) return element('p', { class: 'none' }, none)
  const kinds = rows[0]?.map(({ kind }) => kind) ?? []
  const head = heads.map((text, column) =>
    element('th', { scope: 'col', ...(kinds[column] === 'number' && { class: 'number' }) }, text),
  )
  const body = rows.map((cells) =>
    element(
      'tr',
      {},
      ...cells.map(({ text, tone, kind }, column) => {
        const attributes = { ...(kind && { class: kind }), ...(tone && { 'data-tone': tone }) }
        return column === 0 ? element('th', { scope: 'row', ...attributes }, text) : element('td', attributes, text)
      }),
    ),
  )
  return element(
    'div',
    { class: 'scroll', role: 'region', 'aria-label': `${label}, as a table`, tabindex: '0' },
    element('table', {}, element('thead', {}, element('tr', {}, ...head)), element('tbody', {}, ...body)),
  )
}

/** @param {readonly (readonly [name: string, value: string, tone?: Cell['tone']])[]} entries */
export function tiles(entries) {
  const made = entries.map(([name, value, tone]) =>
    element('div', {}, element('dt', {}, name), element('dd', tone ? { 'data-tone': tone } : {}, value)),
  )
  return element('dl', { class: 'tiles' }, ...made)
}

/** @param {readonly string[]} lines @param {string} [tone] */
export function lines(lines, tone) {
  return element('ul', tone ? { 'data-tone': tone } : {}, ...lines.map((text) => element('li', {}, text)))
}
