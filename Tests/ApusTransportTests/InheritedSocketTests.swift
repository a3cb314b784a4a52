// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Foundation
import Testing

@testable import ApusTransport

/// Sockets that systemd, or whoever starts the process, listens on already.
@Suite(.timeLimit(.minutes(10))) struct InheritedSocketTests {
    typealias Entry = InheritedSockets.Entry

    private func entries(_ environment: [String: String]) throws(RPCError) -> [Entry] {
        try InheritedSockets.entries({ environment[$0] }, process: 42)
    }

    @Test func `descriptors are counted from three and have their names`() throws {
        #expect(
            try entries(["LISTEN_FDS": "2", "LISTEN_PID": "42", "LISTEN_FDNAMES": "grpc:admin"])
                == [Entry(descriptor: 3, name: "grpc"), Entry(descriptor: 4, name: "admin")])
        #expect(
            try entries(["LISTEN_FDS": "1", "LISTEN_PID": "42"]) == [Entry(descriptor: 3, name: "unknown")])
        #expect(
            try entries(["LISTEN_FDS": "2", "LISTEN_PID": "42", "LISTEN_FDNAMES": ":b"]).map(\.name) == ["", "b"])
    }

    @Test(arguments: [
        ([:], "LISTEN_FDS is not set"),
        (["LISTEN_FDS": "1"], "LISTEN_PID is not set"),
        (
            ["LISTEN_FDS": "1", "LISTEN_PID": "41"],
            "LISTEN_PID says they are for process 41, and this is process 42"
        ),
        (
            ["LISTEN_FDS": "1", "LISTEN_PID": "self"],
            "LISTEN_PID says they are for process self, and this is process 42"
        ),
        (["LISTEN_FDS": "0", "LISTEN_PID": "42"], "LISTEN_FDS is '0', which is no number from 1 to 1024"),
        (["LISTEN_FDS": "-1", "LISTEN_PID": "42"], "LISTEN_FDS is '-1', which is no number from 1 to 1024"),
        (["LISTEN_FDS": "x", "LISTEN_PID": "42"], "LISTEN_FDS is 'x', which is no number from 1 to 1024"),
        (
            ["LISTEN_FDS": "99999999999", "LISTEN_PID": "42"],
            "LISTEN_FDS is '99999999999', which is no number from 1 to 1024"
        ),
        (
            ["LISTEN_FDS": "2", "LISTEN_PID": "42", "LISTEN_FDNAMES": "grpc"],
            "LISTEN_FDNAMES has 1 names for 2 sockets"
        ),
    ])
    func `an environment that passes nothing usable says why`(_ environment: [String: String], _ reason: String) {
        let error = #expect(throws: RPCError.self) { _ = try entries(environment) }
        #expect(error?.code == .failedPrecondition)
        #expect(error?.message == "no inherited socket to listen on: \(reason)")
    }

    @Test func `a server that inherits nothing does not start`() {
        let error = #expect(throws: RPCError.self) {
            _ = try Server([EchoService()]).start(listeningOn: [.inherited()])
        }
        #expect(error?.message == "no inherited socket to listen on: LISTEN_FDS is not set")
    }

    // In processes of their own: the environment and the numbers of descriptors are the whole process'.

    @Test func `a server serves on the socket that it inherited, and leaves it to the next process`() async {
        await #expect(processExitsWith: .success) {
            let socket = try ListeningSocket.open(.address(.host("127.0.0.1", port: 0)), loops: 1)[0]
            InheritedSocketTests.pass(socket.descriptor, named: "grpc")
            // Whoever started the process keeps the socket.
            let kept = dup(socket.descriptor)
            let running = try Server([EchoService()]).start(listeningOn: [.inherited(name: "grpc")])
            #expect(running.addresses == [socket.address])
            #expect(fcntl(socket.descriptor, F_GETFD) == FD_CLOEXEC)
            #expect(fcntl(socket.descriptor, F_GETFL) & O_NONBLOCK != 0)
            let channel = Channel("echo", interceptors: [ToEndpoint(socket.address)])
            #expect(
                try await channel.unary(EchoService.Methods.echo, MessageBytes("hello")).message.text == "hello")
            channel.close()

            let again = #expect(throws: RPCError.self) {
                _ = try Server([EchoService()]).start(listeningOn: [.inherited(name: "grpc")])
            }
            #expect(again?.message.hasSuffix("(grpc) was taken before") == true)
            await running.stop()
            // A connection of now waits for the next process.
            let late = try RawSocket(connectingTo: socket.address)
            await eventually { SystemCalls.acceptSocket(kept).result >= 0 }
            late.close()
        }
    }

    @Test func `an inherited Unix domain socket keeps its file`() async {
        await #expect(processExitsWith: .success) {
            let path = NSTemporaryDirectory() + "apus-\(getpid()).sock"
            let socket = try ListeningSocket.open(.address(.unix(path: path)), loops: 1)[0]
            InheritedSocketTests.pass(socket.descriptor, named: "local")
            let running = try Server([EchoService()]).start(listeningOn: [.inherited(name: "local")])
            #expect(running.addresses == [.unix(path: path)])
            let channel = Channel("echo", interceptors: [ToEndpoint(.unix(path: path))])
            #expect(
                try await channel.unary(EchoService.Methods.echo, MessageBytes("hello")).message.text == "hello")
            channel.close()
            await running.stop()
            #expect(FileManager.default.fileExists(atPath: path))
            socket.file?.remove()
        }
    }

    @Test func `what is no listening stream socket is refused`() async {
        await #expect(processExitsWith: .success) {
            func failure(_ descriptor: Int32) -> String {
                InheritedSocketTests.pass(descriptor, named: "x")
                do throws(RPCError) {
                    _ = try InheritedSockets.take("x")
                } catch {
                    return error.message
                }
                return "taken"
            }
            let start = "no inherited socket to listen on: descriptor"
            let connected = SystemCalls.makeSocket(AF_INET)
            #expect(failure(connected) == "\(start) \(connected) (x) does not listen")
            let datagram = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
            #expect(failure(datagram) == "\(start) \(datagram) (x) is no stream socket")
            let file = SystemCalls.openReserve()
            #expect(failure(file) == "\(start) \(file) (x) cannot be used: socket operation on non-socket")
            let closed = dup(0)
            close(closed)
            #expect(failure(closed) == "\(start) \(closed) (x) cannot be used: bad file descriptor")
            let unknown = #expect(throws: RPCError.self) { _ = try InheritedSockets.take("y") }
            #expect(
                unknown?.message.hasPrefix("no inherited socket to listen on: none is named y; there are: ") == true)
        }
    }

    /// Sets the environment up as if this process had been started with a descriptor of that number, behind others.
    private static func pass(_ descriptor: Int32, named name: String) {
        setenv("LISTEN_PID", "\(getpid())", 1)
        setenv("LISTEN_FDS", "\(descriptor - 2)", 1)
        setenv("LISTEN_FDNAMES", String(repeating: "other:", count: Int(descriptor - 3)) + name, 1)
    }
}
