// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import CLibuv
import Synchronization

/// The event loops of a process: one for each core, started when they are first needed, shared by its servers and
/// channels.
public final class EventLoops: Sendable {
    /// The loops that know sockets: all of them, unless they are simulated.
    let loops: [UVLoop]
    /// The loops that connections live on.
    let members: [any EventLoop]
    private let turn = Atomic<Int>(0)

    /// Starts this many loops, each with a thread that lives as long as the process.
    ///
    /// - Throws: RESOURCE_EXHAUSTED when the system has no descriptors or threads left; INVALID_ARGUMENT for none.
    public init(count: Int) throws(RPCError) {
        guard count > 0 else { throw RPCError(.invalidArgument, "at least one event loop is needed, not \(count)") }
        var loops: [UVLoop] = []
        for _ in 0..<count { loops.append(try UVLoop()) }
        self.loops = loops
        members = loops
    }

    /// Loops of a simulation, which have no sockets.
    package init(simulated members: [any EventLoop]) {
        loops = []
        self.members = members
    }

    /// The process' loops.
    ///
    /// - Throws: RESOURCE_EXHAUSTED when the system has no descriptors or threads left.
    public static func shared() throws(RPCError) -> EventLoops { try sharedResult.get() }

    private static let sharedResult: Result<EventLoops, RPCError> = {
        do throws(RPCError) {
            return .success(try EventLoops(count: Int(max(1, uv_available_parallelism()))))
        } catch {
            return .failure(error)
        }
    }()

    /// The number of loops.
    public var count: Int { members.count }

    /// The loops as executors. A task that prefers one makes its calls on that loop's own connections, without a change
    /// of thread; it must not block.
    ///
    /// ```swift
    /// Task(executorPreference: loops.executors[0]) { try await client.echo(request) }
    /// ```
    public var executors: [any TaskExecutor] { members }

    /// The loop of the calling thread if it is one of these, else each in turn.
    var preferred: UVLoop {
        if let current = UVLoop.current, loops.contains(where: { $0 === current }) { return current }
        return next()
    }

    func next() -> UVLoop {
        let number = turn.wrappingAdd(1, ordering: .relaxed).newValue
        return loops[Int(UInt(bitPattern: number) % UInt(loops.count))]
    }
}
