// Go's echo over TCP and UDP, a goroutine a connection. Prints the two ports.
package main

import (
	"fmt"
	"log"
	"net"
)

func serve(conn net.Conn) {
	defer conn.Close()
	buffer := make([]byte, 64*1024)
	for {
		length, err := conn.Read(buffer)
		if err != nil {
			return
		}
		if _, err := conn.Write(buffer[:length]); err != nil {
			return
		}
	}
}

func answer(socket *net.UDPConn) {
	buffer := make([]byte, 64*1024)
	for {
		length, from, err := socket.ReadFromUDPAddrPort(buffer)
		if err == nil {
			socket.WriteToUDPAddrPort(buffer[:length], from)
		}
	}
}

func main() {
	loopback := net.IPv4(127, 0, 0, 1)
	listener, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: loopback})
	if err != nil {
		log.Fatal(err)
	}
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: loopback})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port, socket.LocalAddr().(*net.UDPAddr).Port)
	go answer(socket)
	for {
		conn, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go serve(conn)
	}
}
