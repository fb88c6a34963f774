import { soak } from './soak.ts'
const [seconds='10', only=''] = process.argv.slice(2)
const r = await soak({ seconds: Number(seconds), seed: 1, only })
console.log(r.table); console.log(r.failures.map(f=>'FAIL '+f.slice(0,1500)).join('\n')); process.exit(0)
