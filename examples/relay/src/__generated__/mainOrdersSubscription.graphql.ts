/**
 * @generated SignedSource<<656d602b9bae1f49cc04c4f3d1ed8580>>
 * @lightSyntaxTransform
 */

/* tslint:disable */
/* eslint-disable */
// @ts-nocheck

import { ConcreteRequest } from 'relay-runtime';
export type OrderStatus = "CANCELLED" | "PAID" | "PLACED" | "SHIPPED" | "%future added value";
export type Region = "AFRICA" | "ASIA" | "EUROPE" | "NORTH_AMERICA" | "OCEANIA" | "SOUTH_AMERICA" | "%future added value";
export type OrderFilter = {
  and?: ReadonlyArray<OrderFilter> | null | undefined;
  city?: StringFilter | null | undefined;
  country?: StringFilter | null | undefined;
  customer?: NullableCustomerFilter | null | undefined;
  id?: IDFilter | null | undefined;
  itemCount?: IntFilter | null | undefined;
  location?: LocationFilter | null | undefined;
  merchantId?: IDFilter | null | undefined;
  not?: OrderFilter | null | undefined;
  or?: ReadonlyArray<OrderFilter> | null | undefined;
  placedAt?: DateTimeFilter | null | undefined;
  region?: RegionFilter | null | undefined;
  status?: OrderStatusFilter | null | undefined;
  total?: MoneyFilter | null | undefined;
};
export type StringFilter = {
  contains?: string | null | undefined;
  eq?: string | null | undefined;
  in?: ReadonlyArray<string> | null | undefined;
  ne?: string | null | undefined;
  notIn?: ReadonlyArray<string> | null | undefined;
  startsWith?: string | null | undefined;
};
export type NullableCustomerFilter = {
  and?: ReadonlyArray<NullableCustomerFilter> | null | undefined;
  email?: StringFilter | null | undefined;
  id?: IDFilter | null | undefined;
  isNull?: boolean | null | undefined;
  not?: NullableCustomerFilter | null | undefined;
  or?: ReadonlyArray<NullableCustomerFilter> | null | undefined;
};
export type IDFilter = {
  eq?: string | null | undefined;
  in?: ReadonlyArray<string> | null | undefined;
  ne?: string | null | undefined;
  notIn?: ReadonlyArray<string> | null | undefined;
};
export type IntFilter = {
  eq?: number | null | undefined;
  gt?: number | null | undefined;
  gte?: number | null | undefined;
  in?: ReadonlyArray<number> | null | undefined;
  lt?: number | null | undefined;
  lte?: number | null | undefined;
  ne?: number | null | undefined;
  notIn?: ReadonlyArray<number> | null | undefined;
};
export type LocationFilter = {
  and?: ReadonlyArray<LocationFilter> | null | undefined;
  lat?: FloatFilter | null | undefined;
  lon?: FloatFilter | null | undefined;
  not?: LocationFilter | null | undefined;
  or?: ReadonlyArray<LocationFilter> | null | undefined;
};
export type FloatFilter = {
  eq?: number | null | undefined;
  gt?: number | null | undefined;
  gte?: number | null | undefined;
  in?: ReadonlyArray<number> | null | undefined;
  lt?: number | null | undefined;
  lte?: number | null | undefined;
  ne?: number | null | undefined;
  notIn?: ReadonlyArray<number> | null | undefined;
};
export type DateTimeFilter = {
  eq?: string | null | undefined;
  gt?: string | null | undefined;
  gte?: string | null | undefined;
  in?: ReadonlyArray<string> | null | undefined;
  lt?: string | null | undefined;
  lte?: string | null | undefined;
  ne?: string | null | undefined;
  notIn?: ReadonlyArray<string> | null | undefined;
};
export type RegionFilter = {
  eq?: Region | null | undefined;
  in?: ReadonlyArray<Region> | null | undefined;
  ne?: Region | null | undefined;
  notIn?: ReadonlyArray<Region> | null | undefined;
};
export type OrderStatusFilter = {
  eq?: OrderStatus | null | undefined;
  in?: ReadonlyArray<OrderStatus> | null | undefined;
  ne?: OrderStatus | null | undefined;
  notIn?: ReadonlyArray<OrderStatus> | null | undefined;
};
export type MoneyFilter = {
  amount?: DecimalFilter | null | undefined;
  and?: ReadonlyArray<MoneyFilter> | null | undefined;
  currency?: StringFilter | null | undefined;
  not?: MoneyFilter | null | undefined;
  or?: ReadonlyArray<MoneyFilter> | null | undefined;
};
export type DecimalFilter = {
  eq?: string | null | undefined;
  gt?: string | null | undefined;
  gte?: string | null | undefined;
  in?: ReadonlyArray<string> | null | undefined;
  lt?: string | null | undefined;
  lte?: string | null | undefined;
  ne?: string | null | undefined;
  notIn?: ReadonlyArray<string> | null | undefined;
};
export type mainOrdersSubscription$variables = {
  last?: number | null | undefined;
  where?: OrderFilter | null | undefined;
};
export type mainOrdersSubscription$data = {
  readonly orders: {
    readonly city: string;
    readonly country: string;
    readonly id: string;
    readonly status: OrderStatus;
    readonly total: {
      readonly amount: string;
      readonly currency: string;
    };
  };
};
export type mainOrdersSubscription = {
  response: mainOrdersSubscription$data;
  variables: mainOrdersSubscription$variables;
};

const node: ConcreteRequest = (function(){
var v0 = {
  "defaultValue": null,
  "kind": "LocalArgument",
  "name": "last"
},
v1 = {
  "defaultValue": null,
  "kind": "LocalArgument",
  "name": "where"
},
v2 = [
  {
    "alias": null,
    "args": [
      {
        "kind": "Variable",
        "name": "last",
        "variableName": "last"
      },
      {
        "kind": "Variable",
        "name": "where",
        "variableName": "where"
      }
    ],
    "concreteType": "Order",
    "kind": "LinkedField",
    "name": "orders",
    "plural": false,
    "selections": [
      {
        "alias": null,
        "args": null,
        "kind": "ScalarField",
        "name": "id",
        "storageKey": null
      },
      {
        "alias": null,
        "args": null,
        "kind": "ScalarField",
        "name": "city",
        "storageKey": null
      },
      {
        "alias": null,
        "args": null,
        "kind": "ScalarField",
        "name": "country",
        "storageKey": null
      },
      {
        "alias": null,
        "args": null,
        "kind": "ScalarField",
        "name": "status",
        "storageKey": null
      },
      {
        "alias": null,
        "args": null,
        "concreteType": "Money",
        "kind": "LinkedField",
        "name": "total",
        "plural": false,
        "selections": [
          {
            "alias": null,
            "args": null,
            "kind": "ScalarField",
            "name": "amount",
            "storageKey": null
          },
          {
            "alias": null,
            "args": null,
            "kind": "ScalarField",
            "name": "currency",
            "storageKey": null
          }
        ],
        "storageKey": null
      }
    ],
    "storageKey": null
  }
];
return {
  "fragment": {
    "argumentDefinitions": [
      (v0/*:: as any*/),
      (v1/*:: as any*/)
    ],
    "kind": "Fragment",
    "metadata": null,
    "name": "mainOrdersSubscription",
    "selections": (v2/*:: as any*/),
    "type": "Subscription",
    "abstractKey": null
  },
  "kind": "Request",
  "operation": {
    "argumentDefinitions": [
      (v1/*:: as any*/),
      (v0/*:: as any*/)
    ],
    "kind": "Operation",
    "name": "mainOrdersSubscription",
    "selections": (v2/*:: as any*/)
  },
  "params": {
    "cacheID": "a2722f7e07c8c521a7457c6921d83d5d",
    "id": null,
    "metadata": {},
    "name": "mainOrdersSubscription",
    "operationKind": "subscription",
    "text": "subscription mainOrdersSubscription(\n  $where: OrderFilter\n  $last: Int\n) {\n  orders(where: $where, last: $last) {\n    id\n    city\n    country\n    status\n    total {\n      amount\n      currency\n    }\n  }\n}\n"
  }
};
})();

(node as any).hash = "b8c5b78a1b51b700735a265924956b65";

export default node;
