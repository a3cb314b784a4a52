// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

/// The way to the thread of a directory registry: commands go into an inbox, answers come from the thread.
final class DirectoryWorker: Sendable {
    enum Command: Sendable {
        case register(ServiceInstance, reply: @Sendable (RPCError?) -> Void)
        case leave(OwnedEntries.Key, reply: @Sendable () -> Void)
        case watch(String, RegistryFeed)
        case unwatch(String, RegistryFeed)
        /// Replies when all that is due has been done.
        case settle(reply: @Sendable () -> Void)
        case close(reply: @Sendable () -> Void)
    }

    private struct Inbox {
        var commands: [Command] = []
        var pipe: WakePipe?
        var isClosed = false
    }

    let root: String
    let lease: Duration
    let clock: LeaseClock
    let report: @Sendable (String) -> Void
    private let inbox = Mutex(Inbox())

    init(root: String, lease: Duration, clock: LeaseClock, report: @escaping @Sendable (String) -> Void) {
        self.root = root
        self.lease = lease
        self.clock = clock
        self.report = report
    }

    /// Gives the thread a command, and starts the thread with the first one.
    func post(_ command: Command) {
        let refusal = inbox.withLock { inbox -> RPCError? in
            if inbox.isClosed { return RPCError(.failedPrecondition, "the registry is closed", progress: .notSent) }
            if inbox.pipe == nil {
                if case .close = command {
                    inbox.isClosed = true
                    return RPCError(.ok)
                }
                do throws(RPCError) { try start(&inbox) } catch { return error }
            }
            inbox.commands.append(command)
            inbox.pipe?.wake()
            return nil
        }
        if let refusal { command.refuse(refusal) }
    }

    private func start(_ inbox: inout Inbox) throws(RPCError) {
        let pipe: WakePipe
        do throws(FileError) {
            pipe = try WakePipe()
        } catch {
            throw RPCError(.resourceExhausted, "the registry cannot start: \(error)", progress: .notSent)
        }
        guard startThread({ [self] in run(pipe) }) else {
            pipe.close()
            throw RPCError(.resourceExhausted, "the registry cannot start a thread", progress: .notSent)
        }
        inbox.pipe = pipe
    }

    private func run(_ pipe: WakePipe) {
        nameThread("apus-registry")
        let closing: [@Sendable () -> Void]
        do {
            let loop = DirectoryLoop(self)
            while !loop.isClosed {
                loop.turn(takeCommands())
                if !loop.isClosed { loop.wait(pipe) }
            }
            closing = loop.end()
        }
        end(pipe)
        for reply in closing { reply() }
    }

    private func takeCommands() -> [Command] {
        inbox.withLock { inbox in
            defer { inbox.commands = [] }
            return inbox.commands
        }
    }

    // Under the lock, so that nobody writes to a descriptor that was closed.
    private func end(_ pipe: WakePipe) {
        let late = inbox.withLock { inbox in
            inbox.isClosed = true
            pipe.close()
            defer { inbox.commands = [] }
            return inbox.commands
        }
        let error = RPCError(.failedPrecondition, "the registry is closed", progress: .notSent)
        for command in late { command.refuse(error) }
    }
}

extension DirectoryWorker.Command {
    /// Answers the command without doing it.
    fileprivate func refuse(_ error: RPCError) {
        switch self {
        case .register(_, let reply): reply(error)
        case .leave(_, let reply), .settle(let reply), .close(let reply): reply()
        case .watch(_, let feed): feed.publish(.failure(error), version: .max)
        case .unwatch: break
        }
    }
}
