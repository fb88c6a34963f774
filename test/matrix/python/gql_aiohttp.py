"""gql's transport by aiohttp, which reads multipart subscriptions."""

from gql import Client, GraphQLRequest
from gql.transport.aiohttp import AIOHTTPTransport
from session import main


async def subscribe(url, query, variables):
    async with Client(transport=AIOHTTPTransport(url=url)) as session:
        async for data in session.subscribe(GraphQLRequest(query, variable_values=variables)):
            yield {"data": data}


main(subscribe)
