// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// Makes one connection: looks a name up and races its addresses, one more every 250 ms, until one of them connects.
/// Confined to its loop. Source: gRFC A61; RFC 8305, *Happy Eyeballs*.
///
/// Answers exactly once, with a socket or with a text such as `connect 127.0.0.1:50051: connection refused`, which
/// tells of every address that was tried.
final class Connector: Dialing {
    typealias Answer = OneAnswer<any ConnectionIO>.Handler

    private let target: Endpoint.Address
    private let network: any SocketNetwork
    private let loop: any EventLoop
    private let patience: Duration
    private let answer: OneAnswer<any ConnectionIO>
    private var lookUp: (any Dialing)?
    private var order: [Endpoint.Address] = []
    private var next = 0
    // Tries under way, by their place in the order.
    private var tries: [Int: (any Dialing)?] = [:]
    private var failures: [String] = []
    private lazy var timeout = LoopTimer { [unowned self] in self.timedOut() }
    private lazy var stagger = LoopTimer { [unowned self] in self.tryNext() }

    /// RFC 8305's Connection Attempt Delay.
    static let delay = Duration.milliseconds(250)

    /// - Parameter patience: the time for all of it, the look-up included.
    init(
        _ target: Endpoint.Address, network: any SocketNetwork, loop: any EventLoop, patience: Duration,
        answer: @escaping Answer
    ) {
        self.target = target
        self.network = network
        self.loop = loop
        self.patience = patience
        self.answer = OneAnswer(answer)
    }

    func start() {
        loop.schedule(timeout, at: loop.now.advanced(by: patience))
        guard case .host(let host, let port) = target, network.isIPv6(host) == nil else { return race([target]) }
        let lookUp = network.lookUp(host, port: port, on: loop) { self.lookedUp($0) }
        if answer.isAwaited, order.isEmpty { self.lookUp = lookUp }
    }

    /// Gives up; there will be no answer.
    func cancel() {
        answer.cancel()
        letGo()
    }

    private func finish(_ result: Result<any ConnectionIO, ConnectFailure>) {
        letGo()
        answer.give(result)
    }

    private func letGo() {
        loop.cancel(timeout)
        loop.cancel(stagger)
        lookUp?.cancel()
        lookUp = nil
        let losers = tries.values
        tries = [:]
        for loser in losers { loser?.cancel() }
    }

    private func timedOut() {
        let reasons = (failures + ["connect \(target): no answer within \(patience)"]).joined(separator: "; ")
        finish(.failure(ConnectFailure(reason: reasons)))
    }

    private func lookedUp(_ result: Result<[Endpoint.Address], ConnectFailure>) {
        lookUp = nil
        guard answer.isAwaited else { return }
        switch result {
        case .failure(let failure): finish(.failure(failure))
        case .success(let addresses): race(AddressOrder.interleaved(addresses, isIPv6: isIPv6))
        }
    }

    private func isIPv6(_ address: Endpoint.Address) -> Bool {
        guard case .host(let host, _) = address else { return false }
        return network.isIPv6(host) == true
    }

    // MARK: The race

    private func race(_ order: [Endpoint.Address]) {
        self.order = order
        tryNext()
    }

    private func tryNext() {
        loop.cancel(stagger)
        guard next < order.count else {
            if tries.isEmpty { finish(.failure(ConnectFailure(reason: failures.joined(separator: "; ")))) }
            return
        }
        let place = next
        next += 1
        if next < order.count { loop.schedule(stagger, at: loop.now.advanced(by: Self.delay)) }
        tries[place] = .some(nil)
        let dialing = network.connect(to: order[place], on: loop) { self.tried(place, $0) }
        // The answer may have come before `connect` returned.
        if tries[place] != nil { tries[place] = dialing }
    }

    private func tried(_ place: Int, _ result: Result<any ConnectionIO, ConnectFailure>) {
        tries.removeValue(forKey: place)
        switch result {
        case .success(let io):
            guard answer.isAwaited else { return io.close() }
            finish(.success(io))
        case .failure(let failure):
            guard answer.isAwaited else { return }
            failures.append(failure.reason)
            // The next one need not wait for its turn.
            tryNext()
        }
    }
}
