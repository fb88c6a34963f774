import { defineConfig } from 'vite'
import { alias } from '../shared/vite.ts'

export default defineConfig({ resolve: { alias } })
