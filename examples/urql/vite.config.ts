import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { alias, server } from '../shared/vite.ts'

export default defineConfig({ plugins: [react()], resolve: { alias }, server })
