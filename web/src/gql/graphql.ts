/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** Conditions on a value of DateTime, all of which have to hold. Times are compared as moments, whatever their offset. */
export type DateTimeFilter = {
  /** Is equal to this. */
  eq?: string | null | undefined;
  /** Is after this. */
  gt?: string | null | undefined;
  /** Is at this time or after it. */
  gte?: string | null | undefined;
  /** Is equal to one of these; to none, if the list is empty. */
  in?: Array<string> | null | undefined;
  /** Is before this. */
  lt?: string | null | undefined;
  /** Is at this time or before it. */
  lte?: string | null | undefined;
  /** Is not equal to this. */
  ne?: string | null | undefined;
  /** Is equal to none of these. */
  notIn?: Array<string> | null | undefined;
};

/** Conditions on a value of Decimal, all of which have to hold. Decimals are compared by what they mean, whatever their length: "1.0" equals "1.00". */
export type DecimalFilter = {
  /** Is equal to this. */
  eq?: string | null | undefined;
  /** Is greater than this. */
  gt?: string | null | undefined;
  /** Is greater than or equal to this. */
  gte?: string | null | undefined;
  /** Is equal to one of these; to none, if the list is empty. */
  in?: Array<string> | null | undefined;
  /** Is less than this. */
  lt?: string | null | undefined;
  /** Is less than or equal to this. */
  lte?: string | null | undefined;
  /** Is not equal to this. */
  ne?: string | null | undefined;
  /** Is equal to none of these. */
  notIn?: Array<string> | null | undefined;
};

/** Conditions on a value of Float, all of which have to hold. */
export type FloatFilter = {
  /** Is equal to this. */
  eq?: number | null | undefined;
  /** Is greater than this. */
  gt?: number | null | undefined;
  /** Is greater than or equal to this. */
  gte?: number | null | undefined;
  /** Is equal to one of these; to none, if the list is empty. */
  in?: Array<number> | null | undefined;
  /** Is less than this. */
  lt?: number | null | undefined;
  /** Is less than or equal to this. */
  lte?: number | null | undefined;
  /** Is not equal to this. */
  ne?: number | null | undefined;
  /** Is equal to none of these. */
  notIn?: Array<number> | null | undefined;
};

/** Conditions on a value of ID, all of which have to hold. IDs are compared as strings. */
export type IdFilter = {
  /** Is equal to this. */
  eq?: string | number | null | undefined;
  /** Is equal to one of these; to none, if the list is empty. */
  in?: Array<string | number> | null | undefined;
  /** Is not equal to this. */
  ne?: string | number | null | undefined;
  /** Is equal to none of these. */
  notIn?: Array<string | number> | null | undefined;
};

/** Conditions on a value of Int, all of which have to hold. */
export type IntFilter = {
  /** Is equal to this. */
  eq?: number | null | undefined;
  /** Is greater than this. */
  gt?: number | null | undefined;
  /** Is greater than or equal to this. */
  gte?: number | null | undefined;
  /** Is equal to one of these; to none, if the list is empty. */
  in?: Array<number> | null | undefined;
  /** Is less than this. */
  lt?: number | null | undefined;
  /** Is less than or equal to this. */
  lte?: number | null | undefined;
  /** Is not equal to this. */
  ne?: number | null | undefined;
  /** Is equal to none of these. */
  notIn?: Array<number> | null | undefined;
};

/** Conditions on Location, all of which have to hold. */
export type LocationFilter = {
  /** All of these hold. An empty list always does. */
  and?: Array<LocationFilter> | null | undefined;
  /** Degrees north. */
  lat?: FloatFilter | null | undefined;
  /** Degrees east. */
  lon?: FloatFilter | null | undefined;
  /** This does not hold. */
  not?: LocationFilter | null | undefined;
  /** At least one of these holds. An empty list never does. */
  or?: Array<LocationFilter> | null | undefined;
};

export type LocationInput = {
  /** Degrees north, from -90 to 90. */
  lat: number;
  /** Degrees east, from -180 to 180. */
  lon: number;
};

/** Conditions on Money, all of which have to hold. */
export type MoneyFilter = {
  amount?: DecimalFilter | null | undefined;
  /** All of these hold. An empty list always does. */
  and?: Array<MoneyFilter> | null | undefined;
  /** ISO 4217. */
  currency?: StringFilter | null | undefined;
  /** This does not hold. */
  not?: MoneyFilter | null | undefined;
  /** At least one of these holds. An empty list never does. */
  or?: Array<MoneyFilter> | null | undefined;
};

export type MoneyInput = {
  /** More than 0, with 15 digits and 3 decimals at most. */
  amount: string;
  /** ISO 4217, such as EUR. */
  currency: string;
};

/** Conditions on Customer that may be null, all of which have to hold. */
export type NullableCustomerFilter = {
  /** All of these hold. An empty list always does. */
  and?: Array<NullableCustomerFilter> | null | undefined;
  email?: StringFilter | null | undefined;
  id?: IdFilter | null | undefined;
  /** true: there is no value. false: there is one. */
  isNull?: boolean | null | undefined;
  /** This does not hold. */
  not?: NullableCustomerFilter | null | undefined;
  /** At least one of these holds. An empty list never does. */
  or?: Array<NullableCustomerFilter> | null | undefined;
};

/** Conditions on Order, all of which have to hold. */
export type OrderFilter = {
  /** All of these hold. An empty list always does. */
  and?: Array<OrderFilter> | null | undefined;
  city?: StringFilter | null | undefined;
  /** ISO 3166-1 alpha-2. */
  country?: StringFilter | null | undefined;
  /** Who has ordered; null: a guest. It needs the scope `orders:pii`. */
  customer?: NullableCustomerFilter | null | undefined;
  id?: IdFilter | null | undefined;
  itemCount?: IntFilter | null | undefined;
  location?: LocationFilter | null | undefined;
  merchantId?: IdFilter | null | undefined;
  /** This does not hold. */
  not?: OrderFilter | null | undefined;
  /** At least one of these holds. An empty list never does. */
  or?: Array<OrderFilter> | null | undefined;
  placedAt?: DateTimeFilter | null | undefined;
  region?: RegionFilter | null | undefined;
  status?: OrderStatusFilter | null | undefined;
  total?: MoneyFilter | null | undefined;
};

export type OrderStatus =
  | 'CANCELLED'
  | 'PAID'
  | 'PLACED'
  | 'SHIPPED';

/** Conditions on a value of OrderStatus, all of which have to hold. */
export type OrderStatusFilter = {
  /** Is equal to this. */
  eq?: OrderStatus | null | undefined;
  /** Is equal to one of these; to none, if the list is empty. */
  in?: Array<OrderStatus> | null | undefined;
  /** Is not equal to this. */
  ne?: OrderStatus | null | undefined;
  /** Is equal to none of these. */
  notIn?: Array<OrderStatus> | null | undefined;
};

export type PlaceOrderInput = {
  city: string;
  /** ISO 3166-1 alpha-2, such as NL. */
  country: string;
  /** Your name for this order, such as a random UUID: repeats with the same key are one order. */
  idempotencyKey?: string | number | null | undefined;
  /** From 1 to 10,000. */
  itemCount?: number;
  location: LocationInput;
  merchantId: string | number;
  region: Region;
  total: MoneyInput;
};

export type Region =
  | 'AFRICA'
  | 'ASIA'
  | 'EUROPE'
  | 'NORTH_AMERICA'
  | 'OCEANIA'
  | 'SOUTH_AMERICA';

/** Conditions on a value of Region, all of which have to hold. */
export type RegionFilter = {
  /** Is equal to this. */
  eq?: Region | null | undefined;
  /** Is equal to one of these; to none, if the list is empty. */
  in?: Array<Region> | null | undefined;
  /** Is not equal to this. */
  ne?: Region | null | undefined;
  /** Is equal to none of these. */
  notIn?: Array<Region> | null | undefined;
};

/** Conditions on a value of String, all of which have to hold. Strings are compared as they are: case matters. */
export type StringFilter = {
  /** Contains this, in the same case. */
  contains?: string | null | undefined;
  /** Is equal to this. */
  eq?: string | null | undefined;
  /** Is equal to one of these; to none, if the list is empty. */
  in?: Array<string> | null | undefined;
  /** Is not equal to this. */
  ne?: string | null | undefined;
  /** Is equal to none of these. */
  notIn?: Array<string> | null | undefined;
  /** Starts with this, in the same case. */
  startsWith?: string | null | undefined;
};

/** What an item of a table says. */
export type TableOp =
  /** All rows were told. From now on come changes. */
  | 'READY'
  /** A row was removed, or is no longer among those asked for. */
  | 'REMOVE'
  /** Forget every row: all rows follow. */
  | 'RESET'
  /** A row that is. */
  | 'ROW'
  /** A row was added or changed: it is as told now. */
  | 'UPSERT';

export type MapOrderFragment = { id: string, merchantId: string, region: Region, country: string, city: string, status: OrderStatus, placedAt: string, location: { lat: number, lon: number }, total: { amount: string, currency: string } };

export type LiveOrdersSubscriptionVariables = Exact<{
  where?: OrderFilter | null | undefined;
  last?: number | null | undefined;
}>;


export type LiveOrdersSubscription = { orders: { id: string, merchantId: string, region: Region, country: string, city: string, status: OrderStatus, placedAt: string, location: { lat: number, lon: number }, total: { amount: string, currency: string } } };

export type LiveOrdersOfRegionSubscriptionVariables = Exact<{
  region: Region;
  where?: OrderFilter | null | undefined;
  last?: number | null | undefined;
}>;


export type LiveOrdersOfRegionSubscription = { ordersByRegion: { id: string, merchantId: string, region: Region, country: string, city: string, status: OrderStatus, placedAt: string, location: { lat: number, lon: number }, total: { amount: string, currency: string } } };

export type LiveOrdersOfMerchantSubscriptionVariables = Exact<{
  merchantId: string | number;
  where?: OrderFilter | null | undefined;
  last?: number | null | undefined;
}>;


export type LiveOrdersOfMerchantSubscription = { ordersByMerchant: { id: string, merchantId: string, region: Region, country: string, city: string, status: OrderStatus, placedAt: string, location: { lat: number, lon: number }, total: { amount: string, currency: string } } };

export type LiveSalesSubscriptionVariables = Exact<{ [key: string]: never; }>;


export type LiveSalesSubscription = { regionSales: { op: TableOp, key: string | null, row: { region: Region, minute: string, orders: number, sales: { amount: string, currency: string } } | null } };

export type PlaceOrderMutationVariables = Exact<{
  input: PlaceOrderInput;
}>;


export type PlaceOrderMutation = { placeOrder: { id: string, merchantId: string, region: Region, country: string, city: string, status: OrderStatus, placedAt: string, location: { lat: number, lon: number }, total: { amount: string, currency: string } } };

export type ClockQueryVariables = Exact<{ [key: string]: never; }>;


export type ClockQuery = { __typename: 'Query' };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}
export const MapOrderFragmentDoc = new TypedDocumentString(`
    fragment MapOrder on Order {
  id
  merchantId
  region
  country
  city
  location {
    lat
    lon
  }
  total {
    amount
    currency
  }
  status
  placedAt
}
    `, {"fragmentName":"MapOrder"}) as unknown as TypedDocumentString<MapOrderFragment, unknown>;
export const LiveOrdersDocument = new TypedDocumentString(`
    subscription LiveOrders($where: OrderFilter, $last: Int) {
  orders(where: $where, last: $last) {
    ...MapOrder
  }
}
    fragment MapOrder on Order {
  id
  merchantId
  region
  country
  city
  location {
    lat
    lon
  }
  total {
    amount
    currency
  }
  status
  placedAt
}`) as unknown as TypedDocumentString<LiveOrdersSubscription, LiveOrdersSubscriptionVariables>;
export const LiveOrdersOfRegionDocument = new TypedDocumentString(`
    subscription LiveOrdersOfRegion($region: Region!, $where: OrderFilter, $last: Int) {
  ordersByRegion(region: $region, where: $where, last: $last) {
    ...MapOrder
  }
}
    fragment MapOrder on Order {
  id
  merchantId
  region
  country
  city
  location {
    lat
    lon
  }
  total {
    amount
    currency
  }
  status
  placedAt
}`) as unknown as TypedDocumentString<LiveOrdersOfRegionSubscription, LiveOrdersOfRegionSubscriptionVariables>;
export const LiveOrdersOfMerchantDocument = new TypedDocumentString(`
    subscription LiveOrdersOfMerchant($merchantId: ID!, $where: OrderFilter, $last: Int) {
  ordersByMerchant(merchantId: $merchantId, where: $where, last: $last) {
    ...MapOrder
  }
}
    fragment MapOrder on Order {
  id
  merchantId
  region
  country
  city
  location {
    lat
    lon
  }
  total {
    amount
    currency
  }
  status
  placedAt
}`) as unknown as TypedDocumentString<LiveOrdersOfMerchantSubscription, LiveOrdersOfMerchantSubscriptionVariables>;
export const LiveSalesDocument = new TypedDocumentString(`
    subscription LiveSales {
  regionSales {
    op
    key
    row {
      region
      minute
      orders
      sales {
        amount
        currency
      }
    }
  }
}
    `) as unknown as TypedDocumentString<LiveSalesSubscription, LiveSalesSubscriptionVariables>;
export const PlaceOrderDocument = new TypedDocumentString(`
    mutation PlaceOrder($input: PlaceOrderInput!) {
  placeOrder(input: $input) {
    ...MapOrder
  }
}
    fragment MapOrder on Order {
  id
  merchantId
  region
  country
  city
  location {
    lat
    lon
  }
  total {
    amount
    currency
  }
  status
  placedAt
}`) as unknown as TypedDocumentString<PlaceOrderMutation, PlaceOrderMutationVariables>;
export const ClockDocument = new TypedDocumentString(`
    query Clock {
  __typename
}
    `) as unknown as TypedDocumentString<ClockQuery, ClockQueryVariables>;