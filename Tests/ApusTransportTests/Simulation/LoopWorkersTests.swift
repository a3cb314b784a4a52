// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ApusTransport

/// The tasks that do one piece of work after the other, on a simulated loop.
@Suite struct LoopWorkersTests {
    @Test func `one task does everything that does not wait`() async throws {
        let (done, idle) = try await script {
            let world = World()
            let pieces = (0..<20).map { _ in Piece() }
            for piece in pieces { world.start(piece) }
            world.settle()
            return (pieces.map(\.state), world.loop.workers.idleCount)
        }
        #expect(done == Array(repeating: .done, count: 20))
        #expect(idle == 1)
    }

    @Test func `a piece that waits holds no other up`() async throws {
        let states = try await script {
            let world = World()
            let (waiting, other) = (Piece(waits: true), Piece())
            world.start(waiting)
            world.start(other)
            world.settle()
            let before = [waiting.state, other.state]
            waiting.goOn()
            world.settle()
            return before + [waiting.state]
        }
        #expect(states == [.waiting, .done, .done])
    }

    @Test func `the task of a cancelled piece does no other`() async throws {
        let (states, wereCancelled) = try await script {
            let world = World()
            let (waiting, other) = (Piece(waits: true), Piece())
            world.start(waiting)
            world.settle()
            waiting.worker?.cancel()
            waiting.goOn()
            world.start(other)
            world.settle()
            return ([waiting.state, other.state], [waiting.wasCancelled, other.wasCancelled])
        }
        #expect(states == [.done, .done])
        #expect(wereCancelled == [true, false])
    }

    @Test func `what a piece binds is not seen by the next`() async throws {
        let seen = try await script {
            let world = World()
            let pieces = (1...3).map { Piece(binds: $0) }
            for piece in pieces { world.start(piece) }
            world.settle()
            return pieces.map(\.seen)
        }
        #expect(seen == [0, 0, 0])
    }

    @Test func `after a burst 64 tasks are kept`() async throws {
        let (waiting, kept, dismissed) = try await script {
            let world = World()
            let pieces = (0..<100).map { _ in Piece(waits: true) }
            for piece in pieces { world.start(piece) }
            world.settle()
            let waiting = pieces.filter { $0.state == .waiting }.count
            for piece in pieces { piece.goOn() }
            world.settle()
            let kept = world.loop.workers.idleCount
            world.loop.workers.dismissIdle()
            world.settle()
            return (waiting, kept, world.loop.workers.idleCount)
        }
        #expect(waiting == 100)
        #expect(kept == 64)
        #expect(dismissed == 0)
    }

    @Test func `work that comes after tasks were dismissed is done`() async throws {
        let state = try await script {
            let world = World()
            world.start(Piece())
            world.settle()
            world.loop.workers.dismissIdle()
            let piece = Piece()
            world.start(piece)
            world.settle()
            return piece.state
        }
        #expect(state == .done)
    }
}

private struct World {
    private let simulation = Simulation(seed: 1, loops: 1)

    var loop: SimulatedLoop { simulation.loops[0] }
    func start(_ piece: Piece) { loop.workers.start(piece) }
    func settle() { _ = simulation.settle() }
}

// Sendable: used on the simulation's thread.
private final class Piece: LoopWork, @unchecked Sendable {
    enum State { case new, waiting, done }

    @TaskLocal private static var bound = 0

    private(set) var state = State.new
    private(set) var worker: LoopWorker?
    private(set) var wasCancelled = false
    private(set) var seen: Int?
    private let waits: Bool
    private let binds: Int?
    private var waiter: UnsafeContinuation<Void, Never>?

    init(waits: Bool = false, binds: Int? = nil) {
        self.waits = waits
        self.binds = binds
    }

    func goOn() {
        waiter?.resume()
        waiter = nil
    }

    @concurrent func run(in worker: LoopWorker) async {
        self.worker = worker
        seen = Self.bound
        if let binds { await Self.$bound.withValue(binds) { await Task.yield() } }
        if waits {
            state = .waiting
            await withUnsafeContinuation { waiter = $0 }
        }
        wasCancelled = Task.isCancelled
        state = .done
    }
}
