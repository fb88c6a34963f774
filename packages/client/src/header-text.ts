/** A header's value holds bytes, a character each: an id is sent as UTF-8 (WHATWG HTML, 9.2.3). */
export function utf8(id: string): string {
  return String.fromCharCode(...new TextEncoder().encode(id))
}
