// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// Notes of calls and events as JSON. Moments are told by how long ago they were, so that no clock has to agree.
struct CallReport {
    let now: MonotonicInstant

    /// The calls of each kind, the newest first.
    func calls(_ calls: RecentCalls, most: Int = .max) -> [String: JSON] {
        func list(_ kind: RecentCalls.Kind) -> JSON { .array(calls.notes(kind).prefix(most).map(member)) }
        return [
            "failed": list(.failed), "slow": list(.slow), "retried": list(.retried),
            "refused": list(.refused), "others": list(.other), "missed": .integer(calls.missed),
        ]
    }

    func events(_ events: RecentEvents) -> JSON {
        .array(
            events.notes.map {
                .object([
                    "age": .seconds($0.at.duration(to: now)), "text": .string($0.text),
                    "warning": .bool($0.isWarning), "count": .integer($0.count),
                ])
            })
    }

    private func member(_ note: RecentCalls.Note) -> JSON {
        .object([
            "age": .seconds(note.ended.duration(to: now)), "side": .string(note.side.rawValue),
            "method": .string(note.method), "service": .text(note.target), "peer": .text(note.peer),
            "status": .string(note.status.code.name), "message": .string(note.status.message),
            "seconds": .seconds(note.duration), "attempts": .integer(note.attempts),
            "tries": .array(note.tries.map(Self.member)), "trace": .text(note.traceID),
        ])
    }

    private static func member(_ attempt: CallRecord.Try) -> JSON {
        .object([
            "peer": .text(attempt.endpoint?.endpoint.address), "status": .string(attempt.status.code.name),
            "message": .string(attempt.status.message), "seconds": .seconds(attempt.duration),
        ])
    }
}
