import { defineConfig } from 'vite'
import { alias, server } from '../shared/vite.ts'

export default defineConfig({ resolve: { alias }, server })
