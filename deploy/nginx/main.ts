/** Prints nginx.conf for the options of a JSON file. */
import { readFileSync } from 'node:fs'
import { nginxConfig } from './config.ts'

const [file] = process.argv.slice(2)
if (file === undefined || file.startsWith('-')) {
  console.error('node deploy/nginx/main.ts OPTIONS.json > nginx.conf\nAn example is deploy/nginx/example.json.')
  process.exitCode = 2
} else {
  try {
    process.stdout.write(nginxConfig(JSON.parse(readFileSync(file, 'utf8'))))
  } catch (error) {
    console.error((error as Error).message)
    process.exitCode = 1
  }
}
