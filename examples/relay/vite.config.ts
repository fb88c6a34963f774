import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { alias, server } from '../shared/vite.ts'
import { relayTag } from './relay-tag.ts'

export default defineConfig({ plugins: [relayTag(), react()], resolve: { alias }, server })
