// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusProtobuf
import Testing

@testable import ApusEtcd

struct KeyCourseTests {
    private var course = KeyCourse(key: "config")
    private let away = RPCError(.unavailable, "away")

    private func document(_ text: String) -> KeyCourse.Document { .success(Array(text.utf8)) }

    private func range(_ value: String?, revision: Int64) -> EtcdRangeResponse {
        let pairs = value.map { [EtcdKeyValue(key: Array("config".utf8), value: Array($0.utf8))] } ?? []
        return EtcdRangeResponse(header: EtcdResponseHeader(revision: revision), kvs: pairs)
    }

    private func put(_ value: String, at revision: Int64) -> EtcdEvent {
        EtcdEvent(type: .put, kv: EtcdKeyValue(modRevision: revision, value: Array(value.utf8)))
    }

    private func told(_ events: EtcdEvent..., revision: Int64) -> EtcdWatchResponse {
        EtcdWatchResponse(header: EtcdResponseHeader(revision: revision), events: events)
    }

    private func created(at revision: Int64) -> EtcdWatchResponse {
        EtcdWatchResponse(header: EtcdResponseHeader(revision: revision), created: true)
    }

    private var start: Int64? { if case .follow(let request) = course.step { request.startRevision } else { nil } }

    @Test mutating func `it reads the key, then follows it from the revision behind`() throws {
        #expect(course.step == .read(EtcdRangeRequest(key: Array("config".utf8))))
        #expect(try course.read(range("a", revision: 7)) == document("a"))
        #expect(start == 8)
        #expect(try course.received(created(at: 9)) == .none)
        #expect(start == 8)
        #expect(try course.received(told(put("b", at: 9), put("c", at: 10), revision: 12)) == .document(document("c")))
        #expect(start == 11)
        // Word of its progress.
        #expect(try course.received(told(revision: 20)) == .none)
        #expect(start == 21)
    }

    @Test mutating func `a key that is missing or gone is a failure, until it is there`() throws {
        let missing = KeyCourse.Document.failure(RPCError(.notFound, "etcd has no key 'config'"))
        #expect(try course.read(range(nil, revision: 1)) == missing)
        #expect(try course.received(told(put("a", at: 2), revision: 2)) == .document(document("a")))
        let gone = EtcdEvent(type: .delete, kv: EtcdKeyValue(modRevision: 3))
        #expect(try course.received(told(gone, revision: 3)) == .document(missing))
        #expect(start == 4)
    }

    @Test mutating func `an outage is told once, and the document again after it`() throws {
        _ = try course.read(range("a", revision: 1))
        #expect(course.failed(away) == .failure(away))
        #expect(course.failed(away) == nil)
        #expect(course.failures == 2)
        #expect(start == 2)
        #expect(try course.received(created(at: 1)) == .document(document("a")))
        #expect(course.failures == 0)
        #expect(try course.received(told(put("a", at: 2), revision: 2)) == .none)
    }

    @Test mutating func `history that is gone, and a cluster that went back, make it read the key again`() throws {
        _ = try course.read(range("a", revision: 5))
        #expect(try course.received(EtcdWatchResponse(canceled: true, compactRevision: 9)) == .end)
        #expect(start == nil)
        #expect(try course.read(range("a", revision: 9)) == nil)
        #expect(throws: RPCError.self) { try course.received(created(at: 3)) }
        #expect(start == nil)
        _ = try course.read(range("b", revision: 3))
        #expect(throws: RPCError.self) { try course.received(EtcdWatchResponse(canceled: true, cancelReason: "no")) }
        #expect(start == 4)
    }

    @Test mutating func `an answer without a revision is refused`() {
        #expect(throws: RPCError.self) { try course.read(range("a", revision: 0)) }
        #expect(throws: RPCError.self) { try course.read(EtcdRangeResponse()) }
        #expect(start == nil)
    }

    @Test mutating func `over ten thousand random steps it never asks for what it knows, and ends with the last value`()
        throws
    {
        let random = SplitMixRandom(seed: 4)
        var (etcd, value, heard) = (Int64(1), "0", "")
        func hear(_ news: KeyCourse.Document?) {
            if case .success(let bytes) = news { heard = String(decoding: bytes, as: UTF8.self) }
        }
        for number in 0..<10_000 {
            if random.index(below: 2) == 0 { (etcd, value) = (etcd + 1, "\(number)") }
            guard let next = start else {
                hear(try course.read(range(value, revision: etcd)))
                continue
            }
            switch random.index(below: 5) {
            case 0: _ = course.failed(away)
            case 1: _ = try course.received(EtcdWatchResponse(canceled: true, compactRevision: etcd))
            default:
                let events = next <= etcd ? [put(value, at: etcd)] : []
                let response = EtcdWatchResponse(header: EtcdResponseHeader(revision: etcd), events: events)
                if case .document(let news) = try course.received(response) { hear(news) }
                #expect(heard == value)
                #expect(start == etcd + 1)
            }
        }
    }
}
