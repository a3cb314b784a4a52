// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

/// One circuit breaker as the calls of all threads share it.
///
/// While it is closed and calls succeed it takes no lock: admission is one load, an end one addition, and each 32nd end
/// brings the successes to the course that decides.
final class Breaker: Sendable {
    private static let stride = 32

    let method: MethodDescriptor?
    private let course: Mutex<ToldCourse>
    private let measuresTime: Bool
    // The generation in which all calls pass, if they do.
    private let closedGeneration = Atomic<UInt64>(0)
    // Whether a success changes nothing but the count of calls.
    private let isClean = Atomic<Bool>(true)
    private let successes = Atomic<Int>(0)
    private static let notClosed = UInt64.max

    init(_ rules: BreakerRules, method: MethodDescriptor?) {
        self.method = method
        course = Mutex(ToldCourse(course: BreakerCourse(rules)))
        measuresTime = rules.slowRate != nil
    }

    /// What a change of state is told to, with the state that was told before, if any was.
    typealias Changed = (_ old: BreakerState?, _ new: BreakerState) -> Void

    /// Nobody is to count it any more.
    ///
    /// - Parameter forGood: whether it tells of no change after this.
    /// - Returns: the state that was told last; nil when there is nothing to be taken back.
    func leave(forGood: Bool) -> BreakerState? {
        course.withLock { shared in
            defer { shared.told = nil }
            if forGood { shared.hasLeft = true }
            return shared.told
        }
    }

    func admit(_ clock: any MonotonicClock, changed: Changed) -> BreakerCourse.Admission {
        let generation = closedGeneration.load(ordering: .relaxed)
        if generation != Self.notClosed { return .passes(generation: generation) }
        return change(at: clock.now, changed) { $0.admit(at: $1) }
    }

    func ended(
        _ verdict: Verdict, slow: Bool, generation: UInt64, _ clock: any MonotonicClock, changed: Changed
    ) {
        if verdict == .success, !measuresTime, isClean.load(ordering: .relaxed),
            closedGeneration.load(ordering: .relaxed) == generation
        {
            let count = successes.wrappingAdd(1, ordering: .relaxed).newValue
            guard count.isMultiple(of: Self.stride) else { return }
            return change(at: clock.now, changed) { _, _ in }
        }
        change(at: clock.now, changed) { $0.ended(verdict, slow: slow, generation: generation, at: $1) }
    }

    /// The head of a streamed answer has come.
    ///
    /// - Returns: whether its end will say nothing more.
    func answered(generation: UInt64, _ clock: any MonotonicClock, changed: Changed) -> Bool {
        if closedGeneration.load(ordering: .relaxed) == generation { return false }
        return change(at: clock.now, changed) { $0.answered(generation: generation, at: $1) }
    }

    private func change<R: Sendable>(
        at now: MonotonicInstant, _ changed: Changed, _ body: (inout BreakerCourse, MonotonicInstant) -> R
    ) -> R {
        let (result, news) = course.withLock { shared -> (R, (BreakerState?, BreakerState)?) in
            let before = shared.course.state
            let count = successes.exchange(0, ordering: .relaxed)
            if count > 0, before == .closed {
                shared.course.ended(.success, count: count, generation: shared.course.generation, at: now)
            }
            let result = body(&shared.course, now)
            let after = shared.course.state
            closedGeneration.store(after == .closed ? shared.course.generation : Self.notClosed, ordering: .relaxed)
            isClean.store(shared.course.consecutiveFailures == 0, ordering: .relaxed)
            guard after != before, !shared.hasLeft else { return (result, nil) }
            defer { shared.told = after }
            return (result, (shared.told, after))
        }
        if let (old, new) = news { changed(old, new) }
        return result
    }
}

/// A breaker's course, and what was told of it.
struct ToldCourse: Sendable {
    var course: BreakerCourse
    var told: BreakerState?
    var hasLeft = false
}

/// The breakers of one endpoint, by method: found without a lock.
final class MethodBreakers: Sendable {
    // Methods are a program's own and few. Whoever makes them up as it goes shares the last one.
    private static let limit = 256

    private final class Node: Sendable {
        let breaker: Breaker
        let hash: Int
        let next = OnceReference<Node>()

        init(_ breaker: Breaker, hash: Int) {
            self.breaker = breaker
            self.hash = hash
        }
    }

    private let rules: BreakerRules
    private let whole: Breaker
    private let first = OnceReference<Node>()
    private let count = Atomic<Int>(0)

    init(_ rules: BreakerRules) {
        self.rules = rules
        whole = Breaker(rules, method: nil)
    }

    /// The breaker of a method; of all methods together for nil.
    func breaker(of method: MethodDescriptor?) -> Breaker {
        guard let method else { return whole }
        let hash = method.pathHash
        var place = first.object
        while let node = place {
            if node.hash == hash, node.breaker.method == method { return node.breaker }
            place = node.next.object
        }
        return add(method, hash)
    }

    private func add(_ method: MethodDescriptor, _ hash: Int) -> Breaker {
        guard count.load(ordering: .relaxed) < Self.limit else { return whole }
        let new = Node(Breaker(rules, method: method), hash: hash)
        var node = first.storeIfNil(new)
        while node !== new {
            if node.hash == hash, node.breaker.method == method { return node.breaker }
            node = node.next.storeIfNil(new)
        }
        count.wrappingAdd(1, ordering: .relaxed)
        return new.breaker
    }
}
