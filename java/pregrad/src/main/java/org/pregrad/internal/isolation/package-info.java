/**
 * Models in a process of their own: {@link org.pregrad.internal.Calls} go as messages through the standard input of a child
 * process, and come back through a pipe.
 *
 * <p>A message is its length in bytes, then the number of the call, then for the child the name of the call and its
 * arguments, with the bytes of inputs behind the message; for the parent how the call ended and its result. Numbers have the
 * machine's byte order. Any number of calls may run at once; each has a thread in the child.
 */
package org.pregrad.internal.isolation;
