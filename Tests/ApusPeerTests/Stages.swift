// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The stages of all named calls, past ones kept for those who ask later. Safe from any task.
final class Stages: Sendable {
    private struct Course {
        var reached: [Stage] = []
        var watchers: [AsyncStream<Stage>.Continuation] = []

        var isOver: Bool { reached.last == .finished || reached.last == .cancelled }
    }

    private let courses = Mutex<[String: Course]>([:])

    func reach(_ name: String, _ stage: Stage) {
        courses.withLock { courses in
            courses[name, default: Course()].reached.append(stage)
            guard let course = courses[name] else { return }
            for watcher in course.watchers {
                watcher.yield(stage)
                if course.isOver { watcher.finish() }
            }
        }
    }

    /// The stages of the call with this name, from its first to its last.
    func watch(_ name: String) -> AsyncStream<Stage> {
        let (stages, watcher) = AsyncStream<Stage>.makeStream()
        courses.withLock { courses in
            var course = courses[name] ?? Course()
            for stage in course.reached { watcher.yield(stage) }
            if course.isOver { watcher.finish() } else { course.watchers.append(watcher) }
            courses[name] = course
        }
        return stages
    }
}
