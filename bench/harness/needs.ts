/** What the bench needs of the machine. It installs nothing: what is missing is said, with what to install. */
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { kafkaMissing } from '../../deploy/kafka/broker.ts'
import { findNginx, NGINX_MISSING } from '../../deploy/nginx/run.ts'

export const NGINX = '/usr/sbin/nginx'
export const NGINX_MODULES = '/usr/lib/nginx/modules'

/** The generator decodes compressed streams. */
const ZLIB = '/usr/include/zlib.h'

export type Need = 'generator' | 'kafka' | 'nchan' | 'nginx'

/** One sentence on what is missing, or null when nothing is. */
export async function missing(need: Need): Promise<string | null> {
  if (need === 'kafka') return kafkaMissing()
  if (need === 'nginx') return findNginx() === undefined ? NGINX_MISSING : null
  if (need === 'nchan') {
    const here = existsSync(NGINX) && existsSync(join(NGINX_MODULES, 'ngx_nchan_module.so'))
    return here ? null : 'nchan is not there: install nginx and libnginx-mod-nchan'
  }
  if (process.platform !== 'linux') return 'The bench runs on Linux: it reads /proc and pins processes to cores'
  const lacking = ['gcc', 'taskset', 'setpriv'].filter((program) => !onPath(program))
  if (lacking.length > 0) return `${lacking.join(', ')} not on the PATH: install gcc, libc6-dev and util-linux`
  return existsSync(ZLIB) ? null : `${ZLIB} is not there: install zlib1g-dev`
}

function onPath(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
