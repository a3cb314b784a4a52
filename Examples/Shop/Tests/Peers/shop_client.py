# SPDX-License-Identifier: Apache-2.0
"""Buys in the shop with Python's gRPC: shop_client.py <user service> <order service>. Fails with a text when a reply
is wrong."""

import os
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[4] / ".peers" / "gen"))

import grpc
from demo import orders_pb2, orders_pb2_grpc, users_pb2, users_pb2_grpc

PASSWORD = "correct horse"
ITEMS = [
    orders_pb2.Item(sku="swift", quantity=2, price_cents=1250), orders_pb2.Item(sku="nest", quantity=1, price_cents=99)]


def same(what, actual, expected):
    if actual != expected:
        sys.exit(f"{what}: {actual!r} instead of {expected!r}")


def fails(call, code):
    try:
        result = call()
    except grpc.RpcError as error:
        same("code", error.code(), code)
        same("whether there is a text", bool(error.details()), True)
        return
    sys.exit(f"the call gave {result!r} and not {code}")


def register(users):
    request = users_pb2.RegisterRequest(username="ada", password=PASSWORD, idempotency_key="r1")
    reply = users.Register(request)
    same("name", reply.username, "ada")
    same("the same registration again", users.Register(request), reply)
    again = users_pb2.RegisterRequest(username="ada", password=PASSWORD, idempotency_key="r2")
    fails(lambda: users.Register(again), grpc.StatusCode.ALREADY_EXISTS)
    fails(lambda: users.Register(users_pb2.RegisterRequest(username="x")), grpc.StatusCode.INVALID_ARGUMENT)
    return reply.user_id


def log_in(users, user_id):
    reply = users.Login(users_pb2.LoginRequest(username="ada", password=PASSWORD))
    same("user", reply.user, users_pb2.User(id=user_id, username="ada"))
    same("whether there is a token", len(reply.session_token) >= 16, True)
    for name, password in [("ada", "wrong password"), ("nobody", PASSWORD)]:
        request = users_pb2.LoginRequest(username=name, password=password)
        fails(lambda: users.Login(request), grpc.StatusCode.UNAUTHENTICATED)


def get_user(users, user_id):
    reply = users.GetUser(users_pb2.GetUserRequest(user_id=user_id))
    same("user", reply.user, users_pb2.User(id=user_id, username="ada"))
    fails(lambda: users.GetUser(users_pb2.GetUserRequest(user_id=user_id + 1)), grpc.StatusCode.NOT_FOUND)


def place_order(orders, user_id):
    request = orders_pb2.PlaceOrderRequest(user_id=user_id, items=ITEMS, idempotency_key="o1")
    order = orders.PlaceOrder(request).order
    same("items", list(order.items), ITEMS)
    same("total", order.total_cents, 2599)
    same("the same order again", orders.PlaceOrder(request).order.id, order.id)
    stranger = orders_pb2.PlaceOrderRequest(user_id=user_id + 1, items=ITEMS, idempotency_key="o1")
    fails(lambda: orders.PlaceOrder(stranger), grpc.StatusCode.NOT_FOUND)
    nothing = orders_pb2.PlaceOrderRequest(user_id=user_id, idempotency_key="o2")
    fails(lambda: orders.PlaceOrder(nothing), grpc.StatusCode.INVALID_ARGUMENT)
    return order.id


def watch_order(orders, order_id):
    names = ["PLACED", "PAID", "PACKED", "SHIPPED", "DELIVERED"]
    states = [orders_pb2.OrderState.Value("ORDER_STATE_" + name) for name in names]
    updates = list(orders.WatchOrder(orders_pb2.WatchOrderRequest(order_id=order_id)))
    same("states", [(update.sequence, update.state) for update in updates], list(enumerate(states, 1)))
    rest = list(orders.WatchOrder(orders_pb2.WatchOrderRequest(order_id=order_id, after_state_sequence=3)))
    same("a watch that goes on", rest, updates[3:])
    nobody = orders_pb2.WatchOrderRequest(order_id=order_id + 1000)
    fails(lambda: list(orders.WatchOrder(nobody)), grpc.StatusCode.NOT_FOUND)


def import_orders(orders, user_id):
    users = [user_id, user_id + 1, user_id]
    summary = orders.ImportOrders(
        orders_pb2.PlaceOrderRequest(user_id=user, items=ITEMS, idempotency_key=f"i{index}")
        for index, user in enumerate(users))
    same("placed and refused", (summary.placed, summary.refused), (2, 1))
    same("total", summary.total_cents, 2 * 2599)
    same("whether the refusal has a reason", bool(summary.first_refusal), True)


def list_orders(orders, user_id):
    found, token = [], ""
    while True:
        request = orders_pb2.ListOrdersRequest(user_id=user_id, page_size=2, page_token=token)
        page = orders.ListOrders(request)
        found += page.orders
        token = page.next_page_token
        if not token:
            break
    same("totals", [order.total_cents for order in found], [2599] * 3)
    same("order", [order.id for order in found], sorted(order.id for order in found))


def quote(orders):
    questions = [orders_pb2.QuoteRequest(sku="swift", quantity=quantity) for quantity in (1, 2, 10)]
    totals = [reply.total_cents for reply in orders.Quote(iter(questions))]
    same("prices", totals, [totals[0] * 1, totals[0] * 2, totals[0] * 10])
    fails(lambda: list(orders.Quote(iter([orders_pb2.QuoteRequest(sku="swift")]))), grpc.StatusCode.INVALID_ARGUMENT)


def end_with_parent():
    sys.stdin.read()
    os._exit(1)


def main():
    threading.Thread(target=end_with_parent, daemon=True).start()
    with grpc.insecure_channel(sys.argv[1]) as first, grpc.insecure_channel(sys.argv[2]) as second:
        users = users_pb2_grpc.UserServiceStub(first)
        orders = orders_pb2_grpc.OrderServiceStub(second)
        user_id = register(users)
        log_in(users, user_id)
        get_user(users, user_id)
        order_id = place_order(orders, user_id)
        watch_order(orders, order_id)
        import_orders(orders, user_id)
        list_orders(orders, user_id)
        quote(orders)


main()
