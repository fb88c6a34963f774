import { defineConfig } from 'vite'

const GATEWAY = 'http://127.0.0.1:4000'

/** The Live Map: `npm run web` while working on it, `npm run build` for web/dist, which the gateway serves at `/`. */
export default defineConfig({
  root: import.meta.dirname,
  resolve: { alias: { '@sluice/client': `${import.meta.dirname}/../packages/client/src/index.ts` } },
  build: {
    // A policy that takes nothing inline takes no data: URLs either.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // `light-dark()` is newer than what the minifier would otherwise rewrite it for.
    target: 'es2023',
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
  },
  server: { host: '127.0.0.1', port: 5173, proxy: { '/graphql': GATEWAY, '/graphiql': GATEWAY } },
})
