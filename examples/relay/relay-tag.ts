import type { Plugin } from 'vite'

/**
 * Puts what relay-compiler made in the place of each `graphql` tag. Projects that use Babel have `babel-plugin-relay` for
 * it.
 */
export function relayTag(): Plugin {
  return {
    name: 'relay-tag',
    enforce: 'pre',
    transform: {
      filter: { id: /\.tsx?$/, code: 'graphql`' },
      handler(code) {
        const imports: string[] = []
        const body = code.replace(/\bgraphql`\s*(?:query|mutation|subscription|fragment)\s+(\w+)[^`]*`/g, (_, name) => {
          imports.push(`import ${name}$ from './__generated__/${name}.graphql.ts'`)
          return `${name}$`
        })
        return { code: `${imports.join('\n')}\n${body}`, map: null }
      },
    },
  }
}
