// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
import Testing

@testable import ApusTransport

/// Many calls, few streams, and connections that come and go: no call is lost, and none is left.
@Suite struct StreamLimitStressTests {
    @Test(arguments: [1, 3], Medium.allCases)
    func `far more calls than streams are all answered, but for those that were cancelled`(
        _ connections: Int, _ medium: Medium
    ) async throws {
        var server = ServerOptions()
        server.maximumConcurrentStreams = 3
        server.handlerPatience = Self.patience
        var client = TransportOptions()
        client.maximumConnectionsPerEndpoint = connections
        let pair = try Pair(medium, server: server, client: client)
        let outcomes = await Self.flood(pair.channel, 2000)
        #expect(Set(outcomes.keys).isSubset(of: ["answered", "CANCELLED"]), "\(outcomes)")
        #expect(outcomes["answered", default: 0] >= 1600)
        #expect(pair.target.handle.callsWaiting == 0)
        await pair.close()
    }

    @Test func `servers that make every connection short lose no call`() async throws {
        var server = ServerOptions()
        server.maximumConcurrentStreams = 2
        server.handlerPatience = Self.patience
        server.maximumConnectionAge = .milliseconds(1)
        let pair = try Pair(.memory, server: server)
        let outcomes = await Self.flood(pair.channel, 1000)
        #expect(Set(outcomes.keys).isSubset(of: ["answered", "CANCELLED"]), "\(outcomes)")
        #expect(pair.target.handle.callsWaiting == 0)
        await pair.close()
    }

    // However slow the machine is, handlers of cancelled calls make none of the others refused.
    private static let patience = Duration.seconds(600)

    // Every fifth call is cancelled at some moment.
    private static func flood(_ channel: Channel, _ count: Int) async -> [String: Int] {
        await withTaskGroup(of: String.self) { group in
            for index in 0..<count {
                group.addTask {
                    let call = Task { try await channel.unary(EchoService.Methods.echo, MessageBytes("\(index)")) }
                    if index % 5 == 0 {
                        for _ in 0..<index % 7 { await Task.yield() }
                        call.cancel()
                    }
                    do {
                        return try await call.value.message.text == "\(index)" ? "answered" : "wrong"
                    } catch {
                        let error = RPCError(wrapping: error)
                        return error.code == .cancelled ? "CANCELLED" : error.description
                    }
                }
            }
            var outcomes: [String: Int] = [:]
            for await outcome in group { outcomes[outcome, default: 0] += 1 }
            return outcomes
        }
    }
}
