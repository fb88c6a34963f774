/* eslint-disable */
import * as types from './graphql.ts';



/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "fragment MapOrder on Order {\n  id\n  merchantId\n  region\n  country\n  city\n  location {\n    lat\n    lon\n  }\n  total {\n    amount\n    currency\n  }\n  status\n  placedAt\n}\n\nsubscription LiveOrders($where: OrderFilter, $last: Int) {\n  orders(where: $where, last: $last) {\n    ...MapOrder\n  }\n}\n\nsubscription LiveOrdersOfRegion($region: Region!, $where: OrderFilter, $last: Int) {\n  ordersByRegion(region: $region, where: $where, last: $last) {\n    ...MapOrder\n  }\n}\n\nsubscription LiveOrdersOfMerchant($merchantId: ID!, $where: OrderFilter, $last: Int) {\n  ordersByMerchant(merchantId: $merchantId, where: $where, last: $last) {\n    ...MapOrder\n  }\n}\n\nsubscription LiveSales {\n  regionSales {\n    op\n    key\n    row {\n      region\n      minute\n      orders\n      sales {\n        amount\n        currency\n      }\n    }\n  }\n}\n\nmutation PlaceOrder($input: PlaceOrderInput!) {\n  placeOrder(input: $input) {\n    ...MapOrder\n  }\n}\n\nquery Clock {\n  __typename\n}": typeof types.MapOrderFragmentDoc,
};
const documents: Documents = {
    "fragment MapOrder on Order {\n  id\n  merchantId\n  region\n  country\n  city\n  location {\n    lat\n    lon\n  }\n  total {\n    amount\n    currency\n  }\n  status\n  placedAt\n}\n\nsubscription LiveOrders($where: OrderFilter, $last: Int) {\n  orders(where: $where, last: $last) {\n    ...MapOrder\n  }\n}\n\nsubscription LiveOrdersOfRegion($region: Region!, $where: OrderFilter, $last: Int) {\n  ordersByRegion(region: $region, where: $where, last: $last) {\n    ...MapOrder\n  }\n}\n\nsubscription LiveOrdersOfMerchant($merchantId: ID!, $where: OrderFilter, $last: Int) {\n  ordersByMerchant(merchantId: $merchantId, where: $where, last: $last) {\n    ...MapOrder\n  }\n}\n\nsubscription LiveSales {\n  regionSales {\n    op\n    key\n    row {\n      region\n      minute\n      orders\n      sales {\n        amount\n        currency\n      }\n    }\n  }\n}\n\nmutation PlaceOrder($input: PlaceOrderInput!) {\n  placeOrder(input: $input) {\n    ...MapOrder\n  }\n}\n\nquery Clock {\n  __typename\n}": types.MapOrderFragmentDoc,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "fragment MapOrder on Order {\n  id\n  merchantId\n  region\n  country\n  city\n  location {\n    lat\n    lon\n  }\n  total {\n    amount\n    currency\n  }\n  status\n  placedAt\n}\n\nsubscription LiveOrders($where: OrderFilter, $last: Int) {\n  orders(where: $where, last: $last) {\n    ...MapOrder\n  }\n}\n\nsubscription LiveOrdersOfRegion($region: Region!, $where: OrderFilter, $last: Int) {\n  ordersByRegion(region: $region, where: $where, last: $last) {\n    ...MapOrder\n  }\n}\n\nsubscription LiveOrdersOfMerchant($merchantId: ID!, $where: OrderFilter, $last: Int) {\n  ordersByMerchant(merchantId: $merchantId, where: $where, last: $last) {\n    ...MapOrder\n  }\n}\n\nsubscription LiveSales {\n  regionSales {\n    op\n    key\n    row {\n      region\n      minute\n      orders\n      sales {\n        amount\n        currency\n      }\n    }\n  }\n}\n\nmutation PlaceOrder($input: PlaceOrderInput!) {\n  placeOrder(input: $input) {\n    ...MapOrder\n  }\n}\n\nquery Clock {\n  __typename\n}"): typeof import('./graphql.ts').MapOrderFragmentDoc;


export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}
