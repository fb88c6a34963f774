/**
 * The configuration of Nginx in front of several gateways, as text: what a person runs is what the tests run. The
 * comments in it are for whoever runs it, and docs/nginx.md is the longer story.
 */
import { type NginxOptions, type Settings, settingsOf } from './options.ts'
import { routes, upstreams } from './routes.ts'
import { answersOfNginx, server } from './server.ts'
import { time } from './time.ts'

/** Connections of a worker that are no stream: listeners, clients that are idle or asking something else. */
const OTHER_CONNECTIONS = 1_000
/**
 * From the last sixteenth of its connections on, Nginx closes clients whose request it has not read yet, to have some
 * left ("worker_connections are not enough, reusing connections"): so there are that many more.
 */
const SPARE = 16 / 15
/** Open files of a worker that are no connection: logs, request bodies, certificates, the event queue. */
const OTHER_FILES = 512
/** Room for the jitter of the streams' maximum age. */
const AGE_MARGIN_MS = 600_000

/**
 * The text of nginx.conf.
 * @throws Error with one sentence if an option is wrong.
 */
export function nginxConfig(options: NginxOptions): string {
  const settings = settingsOf(options)
  return [processes(settings), http(settings)].join('\n')
}

function processes({ nginx, form, user, workers, pidFile, logs, streamsPerWorker, streamMaxAgeMs }: Settings): string {
  const connections = Math.ceil((2 * streamsPerWorker + OTHER_CONNECTIONS) * SPARE)
  return `# Nginx in front of Sluice. Printed by deploy/nginx/main.ts: change the options, not this file.
# For Nginx ${nginx} and newer ones${form.before === undefined ? '' : ` before ${form.before}, which want another form (the option "nginx")`}.
user ${user};
pid ${pidFile};
error_log ${logs}/error.log warn;

worker_processes ${workers};
# A stream takes two connections, the client's and the gateway's (over HTTP/2, a client's streams share theirs):
# 2 x ${streamsPerWorker} streams + ${OTHER_CONNECTIONS} for listeners, idle clients and short requests, and a fifteenth of that, since Nginx
# closes clients that are waiting once less than a sixteenth is free: ${connections} a worker.
events {
    worker_connections ${connections};
}
# A descriptor each, and ${OTHER_FILES} for logs, request bodies and the like. It must fit the hard limit (ulimit -Hn).
worker_rlimit_nofile ${connections + OTHER_FILES};

# After a reload, old workers serve their streams on. A stream lasts ${time(streamMaxAgeMs)} at most and its end is jittered; what is
# there after this is cut, all at once.
worker_shutdown_timeout ${time(streamMaxAgeMs + AGE_MARGIN_MS)};
`
}

function http(settings: Settings): string {
  const { temporary, logs, trustedProxies, corsOrigins } = settings
  const temporaries = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `    ${kind}_temp_path ${temporary}/${kind.replace('client_', '')};`,
  )
  return `http {
    server_tokens off;
    default_type application/json;
${temporaries.join('\n')}

    # No query string, for it may hold a stream's token or a cursor, and so no $request and no referrer either. Which
    # instances were tried, and what each did, is in "upstream" and "upstream_status" (see error_log below).
    log_format sluice escape=json '{"time":"$time_iso8601","address":"$remote_addr","connection":"$connection",'
        '"method":"$request_method","path":"$uri","protocol":"$server_protocol","status":"$status",'
        '"bytes":"$bytes_sent","seconds":"$request_time","upstream":"$upstream_addr",'
        '"upstream_status":"$upstream_status","upstream_connect":"$upstream_connect_time",'
        '"request_id":"$sent_http_x_request_id"}';
    access_log ${logs}/access.log sluice;
${realAddress(trustedProxies)}${resolving(settings)}
    # Open requests of one client address, over all workers. Over HTTP/2 each stream counts.
    limit_conn_zone $binary_remote_addr zone=sluice_addresses:10m; # some 80,000 addresses
    limit_conn_status 429;
    limit_conn_log_level info; # the access log has it, without the query string

${upstreams(settings)}
${routes(settings.instances)}
${answersOfNginx(corsOrigins)}
${server(settings)}}
`
}

function realAddress(trusted: readonly string[]): string {
  if (trusted.length === 0) return ''
  return `
    # The client's address is what the balancers in front say, and what others say is not believed.
${trusted.map((network) => `    set_real_ip_from ${network};`).join('\n')}
    real_ip_header X-Forwarded-For;
    real_ip_recursive on;
`
}

function resolving({ resolver }: Settings): string {
  if (resolver.length === 0) return ''
  return `
    # Host names of gateways are looked up again when an answer's time is over, so that their addresses may change.
    resolver ${resolver.join(' ')};
`
}
