import { geoDistance } from 'd3-geo'
import type { Region } from '../gql/graphql.ts'

/** Where an order can be placed from by hand. */
export interface City {
  readonly name: string
  readonly country: string
  readonly region: Region
  readonly currency: string
  readonly lat: number
  readonly lon: number
}

const LIST: readonly (readonly [Region, string])[] = [
  [
    'NORTH_AMERICA',
    `New York,US,USD,40.71,-74.01;Los Angeles,US,USD,34.05,-118.24;Chicago,US,USD,41.85,-87.65;Houston,US,USD,29.76,-95.36;
     Toronto,CA,CAD,43.70,-79.42;Vancouver,CA,CAD,49.25,-123.12;Mexico City,MX,MXN,19.43,-99.13;Havana,CU,CUP,23.13,-82.38;
     Guatemala City,GT,GTQ,14.64,-90.51;Panama City,PA,PAB,8.99,-79.52`,
  ],
  [
    'SOUTH_AMERICA',
    `São Paulo,BR,BRL,-23.55,-46.64;Rio de Janeiro,BR,BRL,-22.91,-43.18;Buenos Aires,AR,ARS,-34.61,-58.38;
     Santiago,CL,CLP,-33.46,-70.65;Lima,PE,PEN,-12.04,-77.03;Bogotá,CO,COP,4.61,-74.08;Quito,EC,USD,-0.23,-78.52;
     Montevideo,UY,UYU,-34.83,-56.17;Manaus,BR,BRL,-3.10,-60.03`,
  ],
  [
    'EUROPE',
    `London,GB,GBP,51.51,-0.13;Dublin,IE,EUR,53.33,-6.25;Amsterdam,NL,EUR,52.37,4.90;Paris,FR,EUR,48.85,2.35;
     Madrid,ES,EUR,40.42,-3.70;Lisbon,PT,EUR,38.72,-9.13;Rome,IT,EUR,41.89,12.48;Berlin,DE,EUR,52.52,13.41;
     Vienna,AT,EUR,48.21,16.37;Warsaw,PL,PLN,52.23,21.01;Stockholm,SE,SEK,59.33,18.06;Athens,GR,EUR,37.98,23.73;
     Kyiv,UA,UAH,50.45,30.52;Moscow,RU,RUB,55.75,37.62;Novosibirsk,RU,RUB,55.03,82.92`,
  ],
  [
    'AFRICA',
    `Cairo,EG,EGP,30.06,31.25;Casablanca,MA,MAD,33.59,-7.61;Dakar,SN,XOF,14.69,-17.44;Lagos,NG,NGN,6.45,3.39;
     Accra,GH,GHS,5.56,-0.20;Kinshasa,CD,CDF,-4.33,15.31;Nairobi,KE,KES,-1.28,36.82;Addis Ababa,ET,ETB,9.02,38.75;
     Luanda,AO,AOA,-8.84,13.23;Johannesburg,ZA,ZAR,-26.20,28.04;Antananarivo,MG,MGA,-18.91,47.54`,
  ],
  [
    'ASIA',
    `Istanbul,TR,TRY,41.01,28.95;Riyadh,SA,SAR,24.69,46.72;Dubai,AE,AED,25.07,55.17;Tehran,IR,IRR,35.69,51.42;
     Karachi,PK,PKR,24.86,67.01;Mumbai,IN,INR,19.07,72.88;Delhi,IN,INR,28.65,77.23;Dhaka,BD,BDT,23.71,90.41;
     Bangkok,TH,THB,13.75,100.50;Singapore,SG,SGD,1.29,103.85;Jakarta,ID,IDR,-6.21,106.85;Manila,PH,PHP,14.60,120.98;
     Hong Kong,HK,HKD,22.28,114.17;Shanghai,CN,CNY,31.22,121.46;Beijing,CN,CNY,39.91,116.40;Seoul,KR,KRW,37.57,126.98;
     Tokyo,JP,JPY,35.69,139.69;Almaty,KZ,KZT,43.25,76.95`,
  ],
  [
    'OCEANIA',
    `Sydney,AU,AUD,-33.87,151.21;Melbourne,AU,AUD,-37.81,144.96;Perth,AU,AUD,-31.95,115.86;Auckland,NZ,NZD,-36.85,174.76;
     Port Moresby,PG,PGK,-9.47,147.16;Suva,FJ,FJD,-18.14,178.44`,
  ],
]

export const CITIES: readonly City[] = LIST.flatMap(([region, text]) =>
  text.split(';').map((line) => {
    const [name = '', country = '', currency = '', lat, lon] = line.trim().split(',')
    return { name, country, region, currency, lat: Number(lat), lon: Number(lon) }
  }),
)

/** The city that is nearest to a place, around the globe. */
export function nearestCity([lon, lat]: readonly [number, number]): City {
  const distance = (city: City) => geoDistance([lon, lat], [city.lon, city.lat])
  return CITIES.reduce((nearest, city) => (distance(city) < distance(nearest) ? city : nearest))
}
