/** Part of `npm run check`: what relay-compiler made for the Relay example is what it would make now. */
import { spawnSync } from 'node:child_process'

// Its configuration's paths are relative to where it runs.
const args = ['--validate', 'relay.config.json']
const { status, error } = spawnSync('relay-compiler', args, { cwd: 'examples/relay', stdio: 'inherit' })
if (error) console.error(error.message)
if (status !== 0) console.error('Run `relay-compiler relay.config.json` in examples/relay')
process.exitCode = status ?? 1
