import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startTestGateway } from '../kit/gateway.ts'
import { addressOf, describeNginx } from '../kit/nginx.ts'

describeNginx('pages behind Nginx', (nginx) => {
  test('come through as the gateway sends them, and no other file does', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-page-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    mkdirSync(join(folder, 'assets'))
    const script = `console.log('${'hello '.repeat(500)}')`
    writeFileSync(join(folder, 'index.html'), '<!doctype html><title>The map</title>')
    writeFileSync(join(folder, 'assets/index-a1B2_c3D.js'), script)
    writeFileSync(join(folder, 'other.txt'), 'not for everybody')
    const gateway = await startTestGateway({ pages: folder })
    const front = await nginx.start({ instances: [{ name: 'test', address: addressOf(gateway.url) }] })
    const page = await fetch(`${front.origin}/`)
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('The map')])
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self'")
    const asset = await fetch(`${front.origin}/assets/index-a1B2_c3D.js`)
    expect(asset.headers.get('cache-control')).toContain('immutable')
    expect(asset.headers.get('content-encoding')).toBe('gzip')
    expect(await asset.text()).toBe(script)
    expect((await fetch(`${front.origin}/graphiql/tabs.json`)).status).toBe(200)
    expect((await fetch(`${front.origin}/other.txt`)).status).toBe(404)
    expect((await fetch(`${front.origin}/assets/..%2fother.txt`)).status).toBe(404)
  })
})
