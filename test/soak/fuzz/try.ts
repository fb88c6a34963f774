import { fuzz } from './fuzz.ts'
const [n='500', seed='1'] = process.argv.slice(2)
const r = await fuzz({ requests: Number(n), seed: Number(seed) })
console.log(r.table); console.log(r.failures.map(f=>'FAIL '+f.slice(0,2500)).join('\n')); process.exit(0)
