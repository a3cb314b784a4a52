# SPDX-License-Identifier: Apache-2.0
"""The user service over a dictionary, with Python's gRPC, until standard input ends. Its first line of output is its
port."""

import sys
import threading
from concurrent import futures
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[4] / ".peers" / "gen"))

import grpc
from demo import users_pb2, users_pb2_grpc


class Users(users_pb2_grpc.UserServiceServicer):
    def __init__(self):
        self.lock = threading.Lock()
        self.by_name = {}

    def Register(self, request, context):
        with self.lock:
            if request.username in self.by_name:
                context.abort(grpc.StatusCode.ALREADY_EXISTS, f"the name {request.username} is taken")
            user = users_pb2.User(id=len(self.by_name) + 1, username=request.username)
            self.by_name[request.username] = (user, request.password)
            return users_pb2.RegisterReply(user_id=user.id, username=user.username)

    def Login(self, request, context):
        with self.lock:
            user, password = self.by_name.get(request.username, (None, None))
        if user is None or password != request.password:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "wrong name or password")
        return users_pb2.LoginReply(session_token="token of " + user.username, user=user)

    def GetUser(self, request, context):
        with self.lock:
            for user, _ in self.by_name.values():
                if user.id == request.user_id:
                    return users_pb2.GetUserReply(user=user)
        context.abort(grpc.StatusCode.NOT_FOUND, f"there is no user {request.user_id}")


def main():
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
    users_pb2_grpc.add_UserServiceServicer_to_server(Users(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    sys.stdin.read()
    server.stop(grace=None)


main()
