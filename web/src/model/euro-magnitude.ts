/**
 * About how many of a currency are one euro, to one digit: enough for the size of a dot, and for nothing else. Sales in
 * EUR come from the gateway.
 */
const PER_EURO: readonly (readonly [number, string])[] = [
  [0.4, 'KWD BHD'],
  [0.5, 'OMR'],
  [0.8, 'JOD FKP GIP GBP SHP'],
  [1, 'EUR CHF USD BMD BSD PAB CUC SGD BND'],
  [2, 'AZN BAM CAD AUD NZD AWG BBD BZD FJD GEL TOP XCG'],
  [3, 'BYN LYD TND XCD PEN WST'],
  [4, 'AED SAR QAR PLN ILS TMT PGK MYR'],
  [5, 'RON BRL'],
  [7, 'DKK TTD BOB'],
  [8, 'CNY GTQ HKD MOP'],
  [10, 'NOK SEK TJS SBD MAD GHS'],
  [15, 'BWP MVR ERN'],
  [20, 'CZK MDL ZAR LSL NAD SZL MXN SCR SVC SLE STN ZMW'],
  [30, 'CUP HNL TWD ZWG'],
  [40, 'NIO THB MRU SRD TRY UAH UYU'],
  [50, 'MKD EGP MUR'],
  [70, 'PHP AFN DOP GMD MZN'],
  [100, 'ALL RSD RUB BTN INR NPR KGS CVE'],
  [120, 'BDT DZD ISK VUV XPF'],
  [150, 'JPY ETB HTG KES'],
  [200, 'DJF GYD JMD LRD'],
  [300, 'LKR PKR YER VES'],
  [400, 'AMD HUF'],
  [600, 'CRC KMF KZT SOS XAF XOF SDG'],
  [1000, 'AOA CLP KPW'],
  [1500, 'ARS IQD KRW NGN RWF'],
  [2000, 'MWK'],
  [2500, 'MMK TZS CDF'],
  [4000, 'BIF COP KHR MNT UGX SSP'],
  [5000, 'MGA'],
  [10_000, 'GNF PYG SYP UZS'],
  [20_000, 'IDR LAK'],
  [30_000, 'VND'],
  [50_000, 'IRR'],
  [100_000, 'LBP'],
]

const RATES = new Map(PER_EURO.flatMap(([rate, names]) => names.split(' ').map((name) => [name, rate] as const)))

/** Of a dot: small, medium, large, very large. */
export const SIZES = 4
const LEAST_EUROS = [0, 30, 120, 500] as const
const MEDIUM = 1

/** Which of the sizes a dot has. The steps are of a factor of four, since amounts differ by powers. */
export function sizeOf({ amount, currency }: { readonly amount: string; readonly currency: string }): number {
  const rate = RATES.get(currency)
  if (rate === undefined) return MEDIUM
  const euros = Number(amount) / rate
  let size = 0
  while (size + 1 < SIZES && euros >= LEAST_EUROS[size + 1]!) size++
  return size
}
