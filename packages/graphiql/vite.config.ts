import { defineConfig, type Plugin } from 'vite'

/** GraphiQL's own fonts are 250 KB of its style sheet. The system's are as good. */
function withoutFonts(): Plugin {
  return {
    name: 'without-fonts',
    enforce: 'pre',
    transform(code, id) {
      return /\.css($|\?)/.test(id) ? { code: code.replaceAll(/@font-face\s*\{[^}]*\}/g, ''), map: null } : undefined
    },
  }
}

export default defineConfig({
  root: import.meta.dirname,
  // The gateway serves the page at /graphql, and its files here.
  base: '/graphiql/',
  plugins: [withoutFonts()],
  // Its dependencies say "use client", which means nothing here, in a warning for each of their files.
  logLevel: 'error',
  build: {
    // One style sheet: the editor's parts have some of their own.
    cssCodeSplit: false,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 2_000,
  },
})
