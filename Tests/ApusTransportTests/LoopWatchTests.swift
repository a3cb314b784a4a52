// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
import ApusTestSupport
import Dispatch
import Testing

@testable import ApusTransport

struct LoopWatchTests {
    @Test func `a loop that is held has not answered for as long, and gets no second question`() async throws {
        let loops = try EventLoops(count: 1)
        let clock = ManualClock()
        let watch = LoopWatch(loops, clock: clock)
        #expect(watch.states == [LoopWatch.State(lag: .zero, connections: 0, streams: 0)])
        let (held, release) = (Latch(), DispatchSemaphore(value: 0))
        loops.members[0].execute {
            held.countDown()
            release.wait()
        }
        await held.wait()
        watch.ask(about: [])
        clock.advance(by: .seconds(3))
        watch.ask(about: [])
        clock.advance(by: .seconds(4))
        #expect(watch.states.map(\.lag) == [.seconds(7)])
        release.signal()
        await answered(loops)
        // What its one answer took stays, until the next one is there.
        #expect(watch.states.map(\.lag) == [.seconds(7)])
        clock.advance(by: .seconds(1))
        watch.ask(about: [])
        await answered(loops)
        #expect(watch.states.map(\.lag) == [.zero])
    }

    @Test func `a loop tells the connections and streams of its servers`() async throws {
        let network = InMemoryNetwork()
        var options = ServerOptions()
        let loops = try EventLoops(count: 1)
        options.eventLoops = loops
        let running = try network.start(try Server([EchoService()]), as: "echo", options: options)
        let inspection = running.inspection
        let watch = LoopWatch(loops)
        watch.ask(about: [inspection])
        await answered(loops)
        #expect(watch.states.map(\.connections) == [0])
        let channel = Channel(
            "echo", interceptors: [PinnedEndpoint(Endpoint(.memory("echo")))], transport: network.transport())
        _ = try await channel.unary(EchoService.Methods.echo, MessageBytes("a".utf8))
        watch.ask(about: [inspection])
        await answered(loops)
        #expect(watch.states.map(\.connections) == [1])
        #expect(!inspection.isStopping && !inspection.isStopped)
        channel.close()
        await running.stop(grace: .seconds(10))
        #expect(inspection.isStopping && inspection.isStopped)
    }

    // What was posted before has run when this has.
    private func answered(_ loops: EventLoops) async {
        for loop in loops.members {
            await withUnsafeContinuation { continuation in loop.execute { continuation.resume() } }
        }
    }
}
