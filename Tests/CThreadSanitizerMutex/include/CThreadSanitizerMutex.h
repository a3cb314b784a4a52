// SPDX-License-Identifier: Apache-2.0
//
// Nothing to call: linking this is enough. See mutex.c.
