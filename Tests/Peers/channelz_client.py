# SPDX-License-Identifier: Apache-2.0
"""Looks into a process with the client of grpcio-channelz, as an operator's tool does.

channelz_client.py <address> <target>: the process has a server at the address, and a channel of that target to it, over
which three calls were made of which one has failed. Fails with a text for a wrong answer.
"""

import ipaddress
import sys
import time

import grpc
from grpc_channelz.v1 import channelz_pb2 as messages
from grpc_channelz.v1 import channelz_pb2_grpc


def same(what, actual, expected):
    if actual != expected:
        sys.exit(f"{what}: expected {expected!r}, came {actual!r}")


def refused(what, code, call):
    try:
        call()
        sys.exit(f"{what} was answered")
    except grpc.RpcError as error:
        same(what, error.code(), code)


def listed(ask, entries, number):
    """All entries, page after page of one."""
    found, start = [], 0
    while True:
        page = ask(start)
        found += entries(page)
        if page.end:
            return found
        start = number(found[-1]) + 1


def main(address, target):
    host, port = address.rsplit(":", 1)
    stub = channelz_pb2_grpc.ChannelzStub(grpc.insecure_channel(address))
    servers = listed(
        lambda start: stub.GetServers(messages.GetServersRequest(start_server_id=start, max_results=1)),
        lambda page: page.server, lambda server: server.ref.server_id)
    server = next((server for server in servers if server.ref.name == address), None)
    if server is None:
        sys.exit(f"no server {address} among {[server.ref.name for server in servers]}")
    again = stub.GetServer(messages.GetServerRequest(server_id=server.ref.server_id)).server
    # This client's own calls are counted, too.
    same("failed calls of the server", again.data.calls_failed, 1)
    if again.data.calls_started < 4:
        sys.exit(f"calls of the server: {again.data.calls_started}")
    sockets = stub.GetServerSockets(messages.GetServerSocketsRequest(server_id=server.ref.server_id))
    same("sockets of the server", len(sockets.socket_ref), 2)

    channels = listed(
        lambda start: stub.GetTopChannels(messages.GetTopChannelsRequest(start_channel_id=start, max_results=1)),
        lambda page: page.channel, lambda channel: channel.ref.channel_id)
    channel = next((channel for channel in channels if channel.data.target == target), None)
    if channel is None:
        sys.exit(f"no channel {target} among {[channel.data.target for channel in channels]}")
    # Its last stream may be open for a moment after its call has ended.
    deadline = time.monotonic() + 60
    while channel.data.calls_succeeded != 2 and time.monotonic() < deadline:
        channel = stub.GetChannel(messages.GetChannelRequest(channel_id=channel.ref.channel_id)).channel
    data = channel.data
    same("calls of the channel", (data.calls_started, data.calls_succeeded, data.calls_failed), (3, 2, 1))
    same("state of the channel", data.state.state, messages.ChannelConnectivityState.READY)
    remotes = []
    for reference in channel.subchannel_ref:
        request = messages.GetSubchannelRequest(subchannel_id=reference.subchannel_id)
        subchannel = stub.GetSubchannel(request).subchannel
        same("target of the subchannel", subchannel.data.target, address)
        for socket in subchannel.socket_ref:
            remotes.append(stub.GetSocket(messages.GetSocketRequest(socket_id=socket.socket_id)).socket)
    same("sockets of the channel", len(remotes), 1)
    remote = remotes[0].remote.tcpip_address
    same("address of the socket", (remote.ip_address, remote.port), (ipaddress.ip_address(host).packed, int(port)))
    local = remotes[0].local.tcpip_address
    same("own address of the socket", local.ip_address, ipaddress.ip_address(host).packed)
    if local.port in (0, int(port)):
        sys.exit(f"own port of the socket: {local.port}")
    same("security of the socket", remotes[0].HasField("security"), False)
    same("keepalives of the socket", remotes[0].data.keep_alives_sent, 0)
    same("streams of the socket", remotes[0].data.streams_started, 3)

    refused("a socket that is not there", grpc.StatusCode.NOT_FOUND,
            lambda: stub.GetSocket(messages.GetSocketRequest(socket_id=2**62)))
    refused("a negative length", grpc.StatusCode.INVALID_ARGUMENT,
            lambda: stub.GetServers(messages.GetServersRequest(max_results=-1)))


main(*sys.argv[1:])
