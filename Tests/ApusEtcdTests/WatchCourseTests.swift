// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusDiscovery
@testable import ApusEtcd
import ApusTestSupport
import Testing

struct WatchCourseTests {
    private var course = WatchCourse(service: "users", maximumInstances: 3)

    private func pair(_ port: Int, revision: Int64 = 1) throws -> EtcdKeyValue {
        let instance = ServiceInstance(service: "users", id: "i\(port)", endpoint: .local(port))
        return EtcdKeyValue(
            key: EtcdEntry.key(of: instance), modRevision: revision, value: try EtcdEntry.encoded(instance))
    }

    /// The endpoint that an instance's key stands for.
    private func place(_ port: Int) -> Endpoint {
        var place = Endpoint.local(port)
        place.instance = "i\(port)"
        return place
    }

    private func put(_ port: Int, at revision: Int64) throws -> EtcdEvent {
        EtcdEvent(type: .put, kv: try pair(port, revision: revision))
    }

    private func delete(_ port: Int, at revision: Int64) -> EtcdEvent {
        EtcdEvent(type: .delete, kv: EtcdKeyValue(key: Array("users/i\(port)".utf8), modRevision: revision))
    }

    private func page(_ pairs: [EtcdKeyValue], revision: Int64, more: Bool = false) -> EtcdRangeResponse {
        EtcdRangeResponse(header: EtcdResponseHeader(revision: revision), kvs: pairs, more: more)
    }

    private func told(
        _ events: [EtcdEvent] = [], revision: Int64, fragment: Bool = false
    ) -> EtcdWatchResponse {
        EtcdWatchResponse(header: EtcdResponseHeader(revision: revision), fragment: fragment, events: events)
    }

    private var startRevision: Int64? {
        if case .follow(let request) = course.step { request.startRevision } else { nil }
    }

    private func isListing(_ step: WatchCourse.Step) -> Bool {
        if case .list = step { true } else { false }
    }

    @Test mutating func `it lists, then follows from the revision behind the list`() throws {
        guard case .list(let request) = course.step else {
            Issue.record("it does not begin with a list")
            return
        }
        #expect(request.key == Array("users/".utf8))
        #expect(request.rangeEnd == Array("users0".utf8))
        #expect(request.revision == 0)
        #expect(try course.listed(page([pair(1), pair(2)], revision: 7)) == [place(1), place(2)])
        #expect(startRevision == 8)
    }

    @Test mutating func `a list in pages is read at one revision and told as a whole`() throws {
        #expect(try course.listed(page([pair(1)], revision: 7, more: true)) == nil)
        guard case .list(let request) = course.step else {
            Issue.record("it does not go on with the list")
            return
        }
        #expect(request.revision == 7)
        #expect(request.key == Array("users/i1".utf8) + [0])
        #expect(try course.listed(page([pair(2)], revision: 9)) == [place(1), place(2)])
        #expect(startRevision == 8)
    }

    @Test mutating func `events change the list, and the watch goes on behind the last one`() throws {
        _ = try course.listed(page([pair(1)], revision: 7))
        #expect(try course.received(told([put(2, at: 8)], revision: 20)) == .update([place(1), place(2)]))
        #expect(startRevision == 9, "the header may be ahead of the events")
        #expect(try course.received(told([delete(1, at: 9)], revision: 9)) == .update([place(2)]))
        #expect(startRevision == 10)
    }

    @Test mutating func `a progress notification moves the revision on and tells nobody`() throws {
        _ = try course.listed(page([pair(1)], revision: 7))
        #expect(try course.received(told(revision: 50)) == .none)
        #expect(startRevision == 51)
    }

    @Test mutating func `a revision in parts is told when its last part is there`() throws {
        _ = try course.listed(page([], revision: 7))
        #expect(try course.received(told([put(1, at: 8)], revision: 8, fragment: true)) == .none)
        #expect(startRevision == 8)
        #expect(try course.received(told([put(2, at: 8)], revision: 8)) == .update([place(1), place(2)]))
        #expect(startRevision == 9)
    }

    @Test mutating func `history that was compacted makes it list anew`() throws {
        _ = try course.listed(page([pair(1)], revision: 7))
        #expect(try course.received(EtcdWatchResponse(canceled: true, compactRevision: 30)) == .end)
        #expect(isListing(course.step))
        #expect(try course.listed(page([pair(2)], revision: 31)) == [place(2)])
    }

    @Test mutating func `an etcd that is behind what was known makes it list anew`() throws {
        _ = try course.listed(page([pair(1)], revision: 7))
        let created = EtcdWatchResponse(header: EtcdResponseHeader(revision: 3), created: true)
        #expect(throws: RPCError.self) { try course.received(created) }
        #expect(isListing(course.step))
    }

    @Test mutating func `a watch that etcd refuses is a failure`() throws {
        _ = try course.listed(page([pair(1)], revision: 7))
        let refusal = EtcdWatchResponse(canceled: true, cancelReason: "permission denied")
        #expect { try course.received(refusal) } throws: { "\($0)".contains("permission denied") }
        #expect(startRevision == 8)
    }

    @Test mutating func `an outage is told once, and its end with the list`() throws {
        _ = try course.listed(page([pair(1)], revision: 7))
        let error = RPCError(.unavailable, "gone")
        let isTold = [course.failed(error), course.failed(error)]
        #expect(isTold == [true, false])
        #expect(course.failures == 2)
        let created = EtcdWatchResponse(header: EtcdResponseHeader(revision: 7), created: true)
        #expect(try course.received(created) == .update([place(1)]))
        #expect(course.failures == 0)
        #expect(try course.received(created) == .none)
    }

    @Test mutating func `a page that is too large is asked for in smaller ones, never below one key`() {
        var limits: [Int64] = []
        for _ in 0..<12 {
            if case .list(let request) = course.step { limits.append(request.limit) }
            _ = course.failed(RPCError(.resourceExhausted, "too large"))
        }
        #expect(limits.first == 256)
        #expect(limits[1] == 128)
        #expect(limits.last == 1)
    }

    @Test mutating func `a bad value is told, and what was known of the key stays`() throws {
        var bad = try pair(1)
        bad.value = Array("nonsense".utf8)
        #expect(try course.listed(page([bad, pair(2)], revision: 7)) == [place(2)])
        let problems = [course.takeProblems().count, course.takeProblems().count]
        #expect(problems == [1, 0])
        bad.key = try pair(2).key
        bad.modRevision = 8
        let update = try course.received(told([EtcdEvent(type: .put, kv: bad)], revision: 8))
        #expect(update == .update([place(2)]))
        let more = course.takeProblems()
        #expect(more.count == 1)
    }

    @Test mutating func `keys of a service whose name begins with this one's are not its instances`() throws {
        let instance = ServiceInstance(service: "users/admin", id: "i1", endpoint: .local(9))
        let stranger = EtcdKeyValue(key: EtcdEntry.key(of: instance), value: try EtcdEntry.encoded(instance))
        #expect(try course.listed(page([stranger, pair(1)], revision: 7)) == [place(1)])
        let problems = course.takeProblems()
        #expect(problems.isEmpty)
    }

    @Test mutating func `more instances than allowed are an error, in a list and in a watch`() throws {
        let pairs = try (1...4).map { try pair($0) }
        #expect(throws: RPCError.self) { try course.listed(page(pairs, revision: 7)) }
        #expect(isListing(course.step))
        #expect(try course.listed(page(Array(pairs.prefix(3)), revision: 7))?.count == 3)
        let event = try put(4, at: 8)
        #expect(throws: RPCError.self) { try course.received(told([event], revision: 8)) }
        #expect(isListing(course.step))
    }

    @Test mutating func `a list without a revision is refused`() {
        #expect(throws: RPCError.self) { try course.listed(EtcdRangeResponse()) }
    }

    @Test mutating func `a stranger's key that was put there anew is another instance, one that was changed is not`()
        throws
    {
        func put(created: Int64, at revision: Int64) -> EtcdWatchResponse {
            let value = Array(#"{"Op":0,"Addr":"127.0.0.1:1","Metadata":null}"#.utf8)
            let pair = EtcdKeyValue(
                key: Array("users/127.0.0.1:1".utf8), createRevision: created, modRevision: revision, value: value)
            return told([EtcdEvent(type: .put, kv: pair)], revision: revision)
        }
        _ = try course.listed(page([], revision: 1))
        var instances: [String?] = []
        for response in [put(created: 2, at: 2), put(created: 2, at: 3), put(created: 5, at: 5)] {
            guard case .update(let endpoints) = try course.received(response) else { continue }
            instances += endpoints.map(\.instance)
        }
        #expect(instances == ["127.0.0.1:1@2", "127.0.0.1:1@2", "127.0.0.1:1@5"])
    }
}
